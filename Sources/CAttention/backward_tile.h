/*
 * What every way to split the backward pass does with a tile: a thread's scratch, weights and gradients of scores of a
 * block of rows, and what they add to the gradients of queries, keys and values.
 */
#ifndef ATTENTION_BACKWARD_TILE_H
#define ATTENTION_BACKWARD_TILE_H

#include "backward.h"
#include "tile.h"

/* Scratch of one thread. The names of gradients follow the formulas of attn_backward. */
typedef struct attn_backward_tiles {
  attn_tiles tiles;       /* scores become weights p; queries and key panels as in forward */
  char *output_gradients; /* do, [block_rows][output_stride] */
  char *score_gradients;  /* ds, [block_rows][score_stride] */
  char *key_rows;         /* the keys as panels of rows, for dq */
  char *value_columns;    /* the values as panels of columns, for dp */
  char *dq;               /* [rows][query_stride], all chunks of keys done; rows of the stream or of the work item */
  char *dq_share;         /* the same, of the chunk under way; no memory of its own when there is but one chunk */
  char *dk;               /* [block_keys][query_stride] */
  char *dv;               /* [block_keys][output_stride] */
  char *line;             /* one row of the output */
  char *dw;               /* [block_rows][query_stride], additive scores only */
  bool special;           /* whether the loaded rows may hold numbers that are not finite */
} attn_backward_tiles;

/* Rows of a share of dq that hold numbers: none where end is 0. */
typedef struct attn_share_range {
  int64_t first, end;
} attn_share_range;

typedef struct attn_backward_call {
  const attn_problem *problem;
  const attn_backward_plan *plan;
  const attn_input *output, *lse, *output_gradient;
  const attn_gradients *gradients;
  char *delta, *lse2; /* per row of every stream: <do, o>, and the log-sum-exp in base 2 (+infinity for empty rows) */
  char *row_dw;       /* additive scores: per row of every stream its share of dw, [query_stride] */
  attn_share_range *ranges; /* [cut_streams][chunks] */
  char *shares;             /* [cut_streams][chunks][rows][query_stride] */
  char *scratch;            /* of thread 0 */
} attn_backward_call;

/* Rows of a stream, the queries of all heads that read one key/value head. */
int64_t attn_stream_rows(const attn_problem *problem, const attn_plan *plan);

/* Bytes of one thread's scratch. */
int64_t attn_backward_thread_bytes(const attn_problem *problem, const attn_backward_plan *plan);
attn_backward_tiles attn_backward_tiles_of(const attn_backward_call *call, int thread);

/* Where a row's delta and log-sum-exp stand. */
int64_t attn_backward_row(const attn_backward_call *call, const attn_item *item, int64_t row);

/* Packs keys and values [first_key, first_key + count) both ways. */
void attn_backward_load_keys(const attn_backward_call *call, const attn_item *item, attn_backward_tiles *t,
                             int64_t first_key, int64_t count);

/* Called with each row of gradients of the final scores, before the cap's derivative: what the bias collects. */
typedef void attn_score_gradient_sink(const attn_backward_call *call, const attn_item *item, const char *gradients,
                                      int64_t row, int64_t first_key, int64_t n);

/* Weights (after dropout) into tiles.scores and gradients of scores into score_gradients, for rows [row, row + rows)
 * against the loaded tile of keys. Returns false when no row sees any key. */
bool attn_block_gradients(const attn_backward_call *call, const attn_item *item, attn_backward_tiles *t, int64_t row,
                          int64_t rows, int64_t first_key, int64_t count, attn_columns *columns,
                          attn_score_gradient_sink *sink);

/* What the block adds to dq (of its rows), dk and dv. */
void attn_add_dq(const attn_backward_call *call, attn_backward_tiles *t, char *dq, int64_t rows,
                 const attn_columns *columns);
void attn_add_dk(const attn_backward_call *call, attn_backward_tiles *t, int64_t rows, const attn_columns *columns);
void attn_add_dv(const attn_backward_call *call, attn_backward_tiles *t, int64_t rows, const attn_columns *columns);

/* Additive scores: dq, dk (as panels) and each row's share of dw come from one pass over the pairs. The shares are
 * added to the row's in row_dw, except where only keys are asked for. */
void attn_add_additive(const attn_backward_call *call, const attn_item *item, attn_backward_tiles *t, char *dq,
                       char *dk, bool keep_dw, int64_t row, int64_t rows, const attn_columns *columns);

void attn_store_dq_row(const attn_backward_call *call, const attn_item *item, int64_t row, const char *dq);
void attn_store_dk_dv(const attn_backward_call *call, const attn_item *item, const attn_backward_tiles *t,
                      int64_t first_key, int64_t count);

#endif
