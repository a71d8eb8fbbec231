/* The border is implemented in Swift; a C target has a source all the same. */
#include "CDeepFGS.h"
