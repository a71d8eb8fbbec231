// Where this code was loaded from; dladdr is not among what Swift imports.
#ifndef CIMAGE_H
#define CIMAGE_H

// The path of the program or shared object that this code is linked into; NULL where the system cannot say. Lasts as
// long as the process.
const char *_Nullable deepfgs_image_path(void);

#endif
