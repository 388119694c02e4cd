/*
 * The table of tile functions, and what each one promises.
 *
 * A tile function runs on one thread, allocates nothing and sees clean blocks: the driver (forward.c) has settled
 * strides, layouts, tails and visibility before it calls. One table exists for each instruction set and compute type;
 * the files kernels/...-inl.h are the one source of all of them; isa/list.h lists them.
 *
 * `real` below is the compute type: float in the tables of F32, F16 and BF16 problems, double in those of F64. Data
 * pointers are void so that one struct serves both.
 *
 * Scores are kept in base-2 units (natural units times log2 e) so that the softmax needs no multiplication.
 *
 * Tiles: score tiles are row-major [rows][stride]. Panels hold a matrix as slices of `panel_width` columns,
 * [slice][depth][panel_width], so that the products read them with unit stride.
 */
#ifndef ATTENTION_KERNELS_H
#define ATTENTION_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "attention.h"

/* A line of most caches, for fetching ahead; where lines are longer, some are asked for twice. */
#define ATTN_LINE_BYTES 64

/* Operands of additive scores: queries and keys as they are and as e^(2x), with the largest magnitude of each. */
typedef struct attn_additive {
  int64_t dim, query_stride;
  const void *queries, *exp_queries;      /* [rows][query_stride] */
  const void *query_sizes;                /* [rows] */
  const void *weights;                    /* [weight_rows][dim]; row r reads row (first_row + r) % weight_rows */
  const void *weight_sums, *weight_sizes; /* [weight_rows]: sum and largest magnitude of each row of weights */
  int64_t weight_rows, first_row;
  const void *keys, *exp_keys; /* panels */
  const void *key_sizes;       /* a number a column */
} attn_additive;

/* Rows of numbers: gate g of row r begins at data + r * row + g * gate, in numbers. */
typedef struct attn_gate_input {
  const void *data;
  int64_t row, gate;
} attn_gate_input;

typedef struct attn_gate_output {
  void *data;
  int64_t row, gate;
} attn_gate_output;

/* A step of a recurrent layer for `rows` sequences and `units` hidden units. Rows of bias, recurrent and state are
 * readable, and state's writable, to the next multiple of lanes. */
typedef struct attn_gates_block {
  int64_t rows, units;
  attn_gate_output gates;    /* in x W_ih^T, out the gates */
  attn_gate_input bias;      /* b_ih; one row */
  attn_gate_input recurrent; /* h W_hh^T + b_hh */
  attn_gate_output state;    /* LSTM: in c, out c'; GRU: in h */
  attn_gate_output cell;     /* out, LSTM: c'; GRU: q */
  attn_gate_output hidden;   /* out h' */
} attn_gates_block;

/* Its gradients. Rows of the two states are readable and writable to the next multiple of lanes. */
typedef struct attn_gate_gradients_block {
  int64_t rows, units;
  attn_gate_input gates, cell;          /* as attn_gates_block left them */
  attn_gate_input previous;             /* LSTM: c; GRU: h of the step before */
  attn_gate_input hidden_gradient;      /* of h' from outside; null data = 0 */
  attn_gate_output hidden_state;        /* in: of h' from the step after; GRU, out: z dh' */
  attn_gate_output cell_state;          /* LSTM, in: of c' from the step after, out: of c */
  attn_gate_output gate_gradients;      /* out, of x W_ih^T + b_ih */
  attn_gate_output recurrent_gradients; /* GRU, out, of h W_hh^T + b_hh; LSTM: the same as gate_gradients */
} attn_gate_gradients_block;

/* What a row of logits comes to: -log p of its target and the mean of -log p over all classes. */
typedef struct attn_row_loss {
  double target, mean;
} attn_row_loss;

/* The factors of a step of Adam: x' = keep x - rate m' / (sqrt(v') root + epsilon), with g = scale gradient. */
typedef struct attn_adam_factors {
  double scale, beta1, beta2, keep, rate, root, epsilon;
} attn_adam_factors;

/* The left operand of a product: element (r, k) is data[r / product_rows * tile + r % product_rows * row + k * step];
 * row or step is 1. */
typedef struct attn_operand {
  const void *data;
  int64_t tile, row, step;
} attn_operand;

typedef struct attn_kernels {
  const char *isa;   /* name of the instruction set */
  const char *name;  /* such as "avx2-f32" */
  int real_bytes;    /* of the compute type: 4 or 8 */
  int lanes;         /* real numbers in a vector */
  int tile_rows;     /* register tile of attention's products: rows ... */
  int panel_width;   /* ... and columns, a multiple of lanes */
  int in_place_rows; /* rows of queries for which keys and values may be read without panels */
  int product_rows;  /* as tile_rows and panel_width, of `product` */
  int product_width;

  /* dst[r * dst_stride + j] = src[r * src_stride + j] * factor, read as `type`, and 0 for n <= j < width. A factor of 1
   * changes no bits. */
  void (*load_rows)(void *dst, int64_t dst_stride, int64_t width, const void *src, int64_t src_stride, attn_type type,
                    int64_t rows, int64_t n, double factor);

  /* Panels of the transposed keys: dst[slice][d][c] = keys[slice * panel_width + c][d] for d < dim. Rows at and after
   * `count`, up to the next multiple of panel_width, become 0. */
  void (*pack_keys)(void *dst, const void *const *keys, attn_type type, int64_t count, int64_t dim);

  /* Panels of the values: dst[slice][j][c] = values[j][slice * panel_width + c], 0 beyond dim. A slice is
   * `depth` >= count rows long; rows from count on are not written. Returns whether all numbers were finite; the ones
   * that were not are stored as 0, for the exact path to add (see exact.h). */
  bool (*pack_values)(void *dst, const void *const *values, attn_type type, int64_t count, int64_t depth, int64_t dim);

  /* scores[r][c] = sum_d queries[r][d] * panel(c)[d] for r < rows and c from slice `first` on to `columns` rounded up
   * to half a slice: no more is written. */
  void (*scores)(void *scores, int64_t stride, const void *queries, int64_t query_stride, int64_t dim,
                 const void *key_panels, int64_t rows, int64_t first, int64_t columns);

  /* The same scores, bit for bit, of rows <= in_place_rows and `count` keys as they stand in memory: columns
   * [0, count rounded up to lanes) are written. */
  void (*scores_in_place)(void *scores, int64_t stride, const void *queries, int64_t query_stride, int64_t dim,
                          const void *const *keys, attn_type type, int64_t count, int64_t rows);

  /* scores[r][c] = sum_d w_d tanh(a_rd + b_cd) of the columns of slices [first, last). */
  void (*additive_scores)(void *scores, int64_t stride, const attn_additive *operands, int64_t rows, int64_t first,
                          int64_t last);

  /* The gradients of additive_scores given those of the scores, added to query_gradients [rows][query_stride],
   * weight_gradients [rows][query_stride] (each row its own) and key_gradients (panels). */
  void (*additive_gradients)(const attn_additive *operands, const void *score_gradients, int64_t stride, int64_t rows,
                             int64_t first, int64_t last, void *query_gradients, void *weight_gradients,
                             void *key_gradients);

  /* dst = e^(2 src), n a multiple of lanes. */
  void (*exp_twice)(void *dst, const void *src, int64_t n);

  /* Largest magnitude of each row of n numbers, n a multiple of lanes, and of each column of panels; infinity when one
   * is NaN. */
  void (*row_magnitudes)(void *sizes, const void *rows, int64_t stride, int64_t count, int64_t n);
  void (*column_magnitudes)(void *sizes, const void *panels, int64_t dim, int64_t slices);

  /* Sum and largest magnitude of each of `count` rows of n numbers, one behind the other; any n. */
  void (*row_sums)(void *sums, void *sizes, const void *rows, int64_t count, int64_t n);

  /* s = factor * tanh(s) over n numbers, n a multiple of lanes. */
  void (*softcap)(void *scores, int64_t n, double factor);

  /* scores[j] += factor * bias[j * stride], for j < n. */
  void (*add_bias)(void *scores, const void *bias, attn_type type, int64_t stride, int64_t n, double factor);

  /* scores[j] -= slope * |distance - j|, n a multiple of lanes. */
  void (*add_alibi)(void *scores, int64_t n, double slope, int64_t distance);

  /* scores[j] = -infinity where mask[j * stride] is 0, for j < n, whatever scores[j] was (NaN too). */
  void (*apply_mask)(void *scores, const uint8_t *mask, int64_t stride, int64_t n);

  /* scores[j] = -infinity for j in [0, low) and [high, n); n a multiple of lanes. */
  void (*clip)(void *scores, int64_t n, int64_t low, int64_t high);

  /* One step of the online softmax over `rows` rows of n scores, n a multiple of panel_width:
   *   m' = max_j s_j where that passes m by more than 8, else m;  p_j = 2^(s_j - m'), exactly 0 for s_j = -infinity;
   *   where m grew, l and output[0..width) are multiplied by 2^(m - m');  l += sum_j p_j.
   * The sum l of row r is kept in `lanes` parts from sum[r * lanes] on; p_j is added to part j mod lanes. `masked` says
   * that scores of -infinity are to be expected: it matters for speed alone. Scores become p. NaN scores give NaN p and
   * l. A maximum of -infinity stands until a finite score comes. */
  void (*softmax)(void *scores, int64_t stride, int64_t rows, int64_t n, bool masked, void *maximum, void *sum,
                  void *output, int64_t output_stride, int64_t width);

  /* The same with the exponential of exp2-inl.h throughout, whose error is least where scores are nearly even: for
   * additive scores, beside which its time counts for nothing. */
  void (*softmax_accurate)(void *scores, int64_t stride, int64_t rows, int64_t n, bool masked, void *maximum, void *sum,
                           void *output, int64_t output_stride, int64_t width);

  /* sums[r] = the sum of the `lanes` numbers from sums[r * lanes] on, for r < rows: in place, packed to the front. */
  void (*add_lanes)(void *sums, int64_t rows);

  /* p[j] = 0 where keep[j] is 0, n a multiple of lanes. */
  void (*drop)(void *p, const uint8_t *keep, int64_t n);

  /* output[r][c] += sum_j p[r][j] * panel(c)[j], j in [first, last), for c < columns rounded up to half a slice, in
   * slices of `depth` rows. */
  void (*accumulate)(void *output, int64_t output_stride, const void *p, int64_t stride, const void *value_panels,
                     int64_t depth, int64_t rows, int64_t first, int64_t last, int64_t columns);

  /* output[r][c] += sum_j p[r][j] * values[j][c], j in [first, last), for c < dim and rows <= in_place_rows, to the
   * bits of `accumulate`. The values must be finite. Columns up to the next multiple of lanes are written. */
  void (*accumulate_in_place)(void *output, int64_t output_stride, const void *p, int64_t stride,
                              const void *const *values, attn_type type, int64_t dim, int64_t rows, int64_t first,
                              int64_t last);

  /* Whether dim numbers of each of `count` rows are finite. */
  bool (*rows_finite)(const void *const *rows, attn_type type, int64_t count, int64_t dim);

  /* output[j][c] += sum_r p[r][j] * b[r][c] for j in [first, last), r < rows and c < columns rounded up to half of
   * panel_width. */
  void (*accumulate_transposed)(void *output, int64_t output_stride, const void *p, int64_t stride, int64_t first,
                                int64_t last, const void *b, int64_t b_stride, int64_t rows, int64_t columns);

  /* c[r][j] = sum_k a(r, k) b[k][j] for r < rows and j < columns, added to c where `add`; b in panels as follows. */
  void (*product)(void *c, int64_t c_stride, const attn_operand *a, const void *panels, int64_t depth, int64_t rows,
                  int64_t columns, bool add);

  /* The right operand in panels of product_width columns, the last one as many as its columns rounded up to lanes, with
   * zeros where there is no column: b[k][j] is dst[p * depth + k * width + (j - p)], p = the panel's first column,
   * width = its own, for src[k * stride + j] or, transposed, src[j * stride + k]. */
  void (*pack_panels)(void *dst, const void *src, int64_t stride, int64_t depth, int64_t columns);
  void (*pack_panels_transposed)(void *dst, const void *src, int64_t stride, int64_t depth, int64_t columns);

  /* Columns as the left operand: dst[r / product_rows][k][r % product_rows] = src[k * stride + r], tiles of depth *
   * product_rows numbers, of which the last is written as far as it has rows. */
  void (*pack_columns)(void *dst, const void *src, int64_t stride, int64_t depth, int64_t rows);

  /* dst[0..n) = (output * factor) + extra, as `type`; extra may be null. -0 becomes +0. */
  void (*store_row)(void *dst, const void *output, const void *extra, attn_type type, int64_t n, double factor);

  /* scores[j] = 2^(scores[j] - subtract), n a multiple of lanes; a score of -infinity
   * gives 0 even when subtract is NaN. */
  void (*exp2_row)(void *scores, int64_t n, double subtract);

  /* sum_j a[j] * b[j] */
  double (*dot)(const void *a, const void *b, int64_t n);

  /* slopes[j] = 1 - (capped[j] * factor)^2: the derivative of the cap at a capped score. n a multiple of lanes. */
  void (*cap_slopes)(void *slopes, const void *capped, int64_t n, double factor);

  /* x[j] = keep[j] ? x[j] * factor : 0, n a multiple of lanes. */
  void (*drop_scaled)(void *x, const uint8_t *keep, int64_t n, double factor);

  /* x[j] = p[j] * (x[j] - delta), 0 where p[j] is 0; n a multiple of lanes. */
  void (*score_gradients)(void *x, const void *p, int64_t n, double delta);

  /* Both in one pass: scores[j] = 2^(scores[j] - subtract), x[j] = scores[j] * (x[j] - delta), 0 where scores[j]
   * becomes 0; n a multiple of lanes. `masked` as for softmax. */
  void (*weights_and_gradients)(void *scores, void *x, int64_t n, bool masked, double subtract, double delta);

  /* x[j] *= factors[j], 0 where x[j] is 0; n a multiple of lanes. */
  void (*multiply)(void *x, const void *factors, int64_t n);

  /* sum[j * stride] += x[j] for j < n; all into sum[0] when stride is 0. */
  void (*add_row)(void *sum, int64_t stride, const void *x, int64_t n);

  bool (*all_finite)(const void *x, int64_t n);

  /* Sets numbers that are not finite to 0. */
  void (*make_finite)(void *x, int64_t n);

  /* A step of a recurrent layer, and its gradients but for those that come through h W_hh^T. */
  void (*lstm_gates)(const attn_gates_block *block);
  void (*gru_gates)(const attn_gates_block *block);
  void (*lstm_gradients)(const attn_gate_gradients_block *block);
  void (*gru_gradients)(const attn_gate_gradients_block *block);

  /* Adds bias (null = 0) to n logits and gives the losses against the target. With `gradient`, logits become
   * scale * (p_j - smoothing / n), less scale * (1 - smoothing) at the target. The row has space to the next multiple
   * of lanes. */
  attn_row_loss (*cross_entropy)(void *logits, const void *bias, int64_t n, int64_t target, double smoothing,
                                 double scale, bool gradient);

  /* A step of Adam for n numbers; a null gradient is 0. */
  void (*adam)(void *x, void *mean, void *square, const void *gradient, int64_t n, const attn_adam_factors *factors);

  /* x = x + bias (null = 0), or tanh of it. */
  void (*bias_row)(void *x, const void *bias, int64_t n, bool tanh);

  /* x = x - log sum_j e^x_j; any n. */
  void (*log_softmax)(void *x, int64_t n);

  /* x = x (1 - y^2). */
  void (*tanh_gradient)(void *x, const void *y, int64_t n);

  /* y[i] = 0 where number first + i of the seed is below threshold, else x[i] * factor. */
  void (*drop_seeded)(void *y, const void *x, int64_t first, int64_t n, uint64_t threshold, uint64_t seed,
                      double factor);
} attn_kernels;

/* A row of isa/list.h: the two tables of an instruction set. */
extern const attn_kernels attn_kernels_portable_f32, attn_kernels_portable_f64;
#if defined(__x86_64__)
extern const attn_kernels attn_kernels_avx2_f32, attn_kernels_avx2_f64;
extern const attn_kernels attn_kernels_avx512_f32, attn_kernels_avx512_f64;
#endif

#endif
