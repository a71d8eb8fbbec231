#include "CDeepFGS.h"
