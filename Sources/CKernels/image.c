#define _GNU_SOURCE
#include <dlfcn.h>
#include <link.h>
#include <stddef.h>

#include "CImage.h"

const char *deepfgs_image_path(void)
{
    static const char anchor;
    Dl_info info;
    struct link_map *map = NULL;
    if (!dladdr1(&anchor, &info, (void **)&map, RTLD_DL_LINKMAP))
        return NULL;
    /* The program itself has no name there, and dli_fname is how it was called: a bare name, if it was found by PATH. */
    return map && map->l_name && map->l_name[0] == 0 ? "/proc/self/exe" : info.dli_fname;
}
