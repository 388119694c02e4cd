/* Matrix products on the tiles of attention. */
#ifndef ATTENTION_MATMUL_H
#define ATTENTION_MATMUL_H

#include "kernels.h"

typedef struct attn_product {
  const attn_kernels *kernels;
  attn_type type; /* ATTN_F32 or ATTN_F64 */
  bool transpose_a, transpose_b, accumulate;
  int64_t m, n, k, lda, ldb, ldc;
  const char *a, *b;
  char *c;
} attn_product;

/* Scratch of one thread, a multiple of ATTN_SCRATCH_ALIGNMENT, and the number of work items. */
int64_t attn_product_thread_bytes(const attn_product *product);
int64_t attn_product_items(const attn_product *product);

/* Runs a checked product on at most `threads` threads; scratch holds threads * thread_bytes, aligned. */
void attn_product_run(const attn_product *product, int threads, char *scratch);

#endif
