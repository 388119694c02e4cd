/* Fused attention, backward. */
#ifndef ATTENTION_BACKWARD_H
#define ATTENTION_BACKWARD_H

#include "plan.h"

/* How the work is split. */
typedef enum attn_backward_split {
  ATTN_BY_STREAM,           /* one owner for all of a key/value head: five products */
  ATTN_BY_CHUNK,            /* one for each chunk of its keys, whose shares of dq are added afterwards: five products */
  ATTN_BY_STREAM_AND_CHUNK, /* the first heads in the first way, the last ones in the second */
  ATTN_BY_KEYS_THEN_QUERIES /* where those take too much memory, or there are too few of both: seven products */
} attn_backward_split;

/* Whatever the split, each element of dk and dv is one chain of multiply-adds over the queries, and one of dq is a
 * chain over the keys of each chunk, added chunk by chunk to 0. Chunks follow from the shape, so the split changes no
 * bits and may depend on the number of threads. A chunk that a row saw nothing of adds its +0 or is left out: the same
 * but for a 0's sign, and store_row makes -0 to +0. */
typedef struct attn_backward_plan {
  attn_plan base;
  attn_backward_split split;
  int64_t whole_streams, cut_streams; /* key/value heads with one owner, and those behind them that go by chunk */
  int64_t key_blocks;                 /* tiles of keys of the longest sequence */
  int64_t chunk_blocks, chunks;       /* tiles of keys of a chunk, and chunks of the longest sequence */
  int64_t thread_bytes;               /* scratch of one thread */
  int64_t row_bytes, range_bytes;     /* of every row, and of the ranges of the shares of dq */
  int64_t shared_bytes;               /* scratch of all: these two and the shares */
  int threads;
} attn_backward_plan;

attn_status attn_backward_plan_make(const attn_problem *problem, attn_backward_plan *plan);

/* Changes the split of a plan: to one that attn_backward_plan_make did not choose, for tests. Additive problems have one
 * chunk and are not for splits by chunk: the gradient of their weights is collected by owners of whole rows. */
attn_status attn_backward_plan_as(const attn_problem *problem, attn_backward_split split, attn_backward_plan *plan);

/* Runs a checked problem. `scratch` holds shared_bytes + threads * thread_bytes, aligned. */
void attn_backward_run(const attn_problem *problem, const attn_backward_plan *plan, const attn_input *output,
                       const attn_input *lse, const attn_input *output_gradient, const attn_gradients *gradients,
                       char *scratch);

#endif
