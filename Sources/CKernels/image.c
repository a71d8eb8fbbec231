#define _GNU_SOURCE
#include <dlfcn.h>
#include <stddef.h>

#include "CImage.h"

const char *deepfgs_image_path(void)
{
    static const char anchor;
    Dl_info info;
    return dladdr(&anchor, &info) ? info.dli_fname : NULL;
}
