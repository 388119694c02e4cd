/* Fused attention, backward. */
#ifndef ATTENTION_BACKWARD_H
#define ATTENTION_BACKWARD_H

#include "plan.h"

/* How the work is split. Whatever is chosen, each element of a gradient is one chain of multiply-adds in the same
 * order, so the choice changes no bits and may depend on the number of threads. */
typedef struct attn_backward_plan {
  attn_plan base;
  bool by_stream;       /* one owner for all of a key/value head: five products; else keys, then queries: seven */
  int64_t key_blocks;   /* tiles of keys of the longest sequence */
  int64_t thread_bytes; /* scratch of one thread */
  int64_t shared_bytes; /* scratch of all: delta and log-sum-exp of every row */
  int threads;
} attn_backward_plan;

attn_status attn_backward_plan_make(const attn_problem *problem, attn_backward_plan *plan);

/* Runs a checked problem. `scratch` holds shared_bytes + threads * thread_bytes, aligned. */
void attn_backward_run(const attn_problem *problem, const attn_backward_plan *plan, const attn_input *output,
                       const attn_input *lse, const attn_input *output_gradient, const attn_gradients *gradients,
                       char *scratch);

#endif
