/* One field of an element's statistics; StatisticField.swift has the tables. */
#ifndef CDEEPFGS_STATISTIC_H
#define CDEEPFGS_STATISTIC_H

#include <stdint.h>

typedef enum {
    DEEPFGS_VALUE_UINT64 = 0,
    DEEPFGS_VALUE_INT64 = 1,
    DEEPFGS_VALUE_DOUBLE = 2,
    DEEPFGS_VALUE_STRING = 3,
} DeepFGSValueType;

typedef struct {
    /* Static. */
    const char *name;
    DeepFGSValueType type;
    /* The value is in the member of its type; `text` is static, and NULL for the other types. */
    uint64_t uint64;
    int64_t int64;
    double real;
    const char *text;
} DeepFGSStatistic;

/* No element has more fields. */
#define DEEPFGS_MOST_STATISTICS 64

#endif
