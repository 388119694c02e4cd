/* The k largest weights of a row, kept while the row passes by in tiles. */
#ifndef ATTENTION_TOP_H
#define ATTENTION_TOP_H

#include <stdint.h>

/* A heap over arrays of k elements with the worst at the root. A weight is better when it is NaN, then when it is
 * larger, then when its key comes first: a total order, so the result does not depend on how the row was cut. */
typedef struct attn_top {
  int64_t k, count;
  int64_t *keys;
  void *weights; /* reals of `bytes` */
  int64_t bytes;
} attn_top;

void attn_top_add(attn_top *top, int64_t key, double weight);

/* Orders the elements, best first, and fills the rest with key -1 and weight 0. */
void attn_top_finish(attn_top *top);

#endif
