#include <lcms2.h>
#include <vips/vips.h>
