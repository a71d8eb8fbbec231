/* Encoder, decoder and frame header as the codec elements call them. */
#ifndef CDEEPFGS_CODEC_H
#define CDEEPFGS_CODEC_H

#include <stddef.h>
#include <stdint.h>

#endif
