// A vector of sixteen 32-bit numbers in four parts, for sets whose own have four: PART is the type of one.
typedef struct {
    PART part[4];
} Quarters;
#define VECTOR Quarters
#define QUARTERS(expression)                                                                                           \
    ({                                                                                                                 \
        Quarters all_;                                                                                                 \
        _Pragma("unroll") for (int i = 0; i < 4; i++) all_.part[i] = (expression);                                     \
        all_;                                                                                                          \
    })
#define SUMS(v) IN_ONE(v)
