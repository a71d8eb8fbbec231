#define _GNU_SOURCE
#include <dlfcn.h>

#include "deepfgs.h"
#include "library.h"

const char *dfgs_version(void) { return DFGS_VERSION; }

const char *deepfgs_library_path(void)
{
    static const char anchor;
    Dl_info info;
    return dladdr(&anchor, &info) ? info.dli_fname : NULL;
}
