/* Which release of DeepFGS this is: the file VERSION, put here by `tools/version write`. */
#ifndef CDEEPFGS_VERSION_H
#define CDEEPFGS_VERSION_H

#define DEEPFGS_VERSION "0.2.0"

#endif
