/* Where this code was loaded from; dladdr is not among what Swift imports. */
#ifndef CDEEPFGS_IMAGE_H
#define CDEEPFGS_IMAGE_H

/* The path of the plugin's shared object, or of the program that it is linked into; NULL where the system cannot say.
 * Lasts as long as the process. */
const char *_Nullable deepfgs_image_path(void);

#endif
