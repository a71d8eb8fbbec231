/* What the library needs of C for itself; not installed, not exported. */
#ifndef CDEEPFGSLIBRARY_LIBRARY_H
#define CDEEPFGSLIBRARY_LIBRARY_H

/* The file that this code was loaded from; NULL where the system cannot say. Lasts as long as the process. */
const char *_Nullable deepfgs_library_path(void);

#endif
