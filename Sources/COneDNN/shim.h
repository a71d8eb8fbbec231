#include <dnnl.h>
#include <stdlib.h>

#include "layouts.h"

// Debian's oneDNN runs on GNU OpenMP; <omp.h> belongs to GCC alone, so what matters of it is declared here (OpenMP 4.5,
// 3.2.1, 3.2.3 and 3.2.5).
void omp_set_num_threads(int threads);
int omp_get_max_threads(void);
int omp_get_num_procs(void);
