/* Scores and weights on demand: chosen rows and heads, means over heads, the largest of a row, sums of columns. */
#ifndef ATTENTION_WEIGHTS_H
#define ATTENTION_WEIGHTS_H

#include "plan.h"

typedef struct attn_weights_plan {
  attn_plan tiles;
  int64_t rows, heads;   /* R and the heads chosen */
  int64_t results;       /* H': 1 when averaged, else heads */
  int64_t chunk, chunks; /* rows of a work item, and how many items cover R */
  int64_t key_blocks;    /* score tiles that cover Sk */
  int64_t thread_bytes;
} attn_weights_plan;

attn_status attn_weights_plan_make(const attn_problem *problem, const attn_weights_request *request,
                                   attn_weights_plan *plan);

void attn_weights_run(const attn_problem *problem, const attn_weights_plan *plan, const void *lse,
                      const attn_weights_request *request, char *scratch);

#endif
