/* Matrix products on the tiles of attention. */
#ifndef ATTENTION_MATMUL_H
#define ATTENTION_MATMUL_H

#include "kernels.h"

typedef struct attn_product {
  const attn_kernels *kernels;
  attn_type type; /* ATTN_F32 or ATTN_F64 */
  bool transpose_a, transpose_b, accumulate;
  int threads; /* at most, 1 or more */
  int64_t m, n, k, lda, ldb, ldc;
  const char *a, *b;
  char *c;
} attn_product;

/* Scratch of all threads, a multiple of ATTN_SCRATCH_ALIGNMENT: follows from everything but the matrices. */
int64_t attn_product_bytes(const attn_product *product);

/* Runs a checked product; scratch is aligned to ATTN_SCRATCH_ALIGNMENT. */
void attn_product_run(const attn_product *product, char *scratch);

#endif
