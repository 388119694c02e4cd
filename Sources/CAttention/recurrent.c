/*
 * A work item, called a part, is every parts-th sequence for all steps: sequences do not meet but in the sums of the
 * weights' gradients, so threads wait for each other once a call, and since sequences are sorted by length the parts
 * are of one size at every step. W_hh is packed once for all steps; a slice of it, at most BLOCK_DEPTH deep at a time,
 * stays in the level-1 cache while the rows of the part pass.
 *
 * The state of every sequence of a part lies in scratch, one row a sequence, from the initial state on. A step changes
 * the rows that it reaches; what is there at the end is the final state. Backward it is the same with the gradients of
 * the states, from the final ones to the initial ones.
 */
#include "recurrent.h"

#include <string.h>

#include "dispatch.h"
#include "matmul.h"
#include "parallel.h"
#include "scratch.h"
#include "status.h"
#include "view.h"

#define BLOCK_DEPTH 256
#define BIAS_COLUMNS 512

/* Fewer sequences than this leave a register tile waiting for its own multiply-adds. */
#define PART_ROWS 4
/* Multiply-adds that outweigh the start of a thread. */
#define PART_WORK (1 << 20)

typedef struct recurrence_call {
  attn_cell cell;
  const attn_recurrence *layer;
  const attn_recurrence_states *states;
  const attn_recurrence_gradients *gradients; /* null = forward */
  const attn_kernels *kernels;
  int64_t bytes, gates, rows, stride, slices; /* of a number; K; N; H rounded up to whole slices, in how many */
  int64_t parts, part_bytes;
  int64_t *starts;   /* [T + 1]: row of a step's first sequence in packed arrays */
  char *panels;      /* forward [K][slices][H][product_width] of W_hh^T, backward [slices][K H][product_width] */
  char *input_bias;  /* [K][stride] */
  char *hidden_bias; /* [K][stride] */
  char *zeros;       /* [H] */
  char *recurrent_gradients; /* [N, K H]: of h W_hh^T + b_hh; the LSTM's are those of the gates */
  char *previous;            /* [N, H]: h of the step before, for the weights' gradients */
  char *product_scratch, *parts_scratch;
} recurrence_call;

/* The sequences of a part that a step of n reaches: those numbered part, part + parts, ... below n. */
static int64_t part_rows(const recurrence_call *c, int64_t part, int64_t n) {
  return n > part ? (n - part + c->parts - 1) / c->parts : 0;
}

static const void *input_row(const recurrence_call *c, const void *array, int64_t row, int64_t stride) {
  return (const char *)array + row * stride * c->bytes;
}

static void *output_row(const recurrence_call *c, void *array, int64_t row, int64_t stride) {
  return (char *)array + row * stride * c->bytes;
}

/* A part's rows of a packed array, or of one with a row a sequence, from row `first` of the array on. */
static attn_gate_input part_input(const recurrence_call *c, const void *array, int64_t first, int64_t stride) {
  if (!array) return (attn_gate_input){0};
  return (attn_gate_input){input_row(c, array, first, stride), c->parts * stride, c->layer->hidden};
}

static attn_gate_output part_output(const recurrence_call *c, void *array, int64_t first, int64_t stride) {
  return (attn_gate_output){output_row(c, array, first, stride), c->parts * stride, c->layer->hidden};
}

/* The step before step t in the order of the recurrence; -1 for none. */
static int64_t step_before(const attn_recurrence *l, int64_t t) {
  if (!l->reverse) return t - 1;
  return t + 1 < l->steps ? t + 1 : -1;
}

/* Units of a slice. */
static int64_t slice_units(const recurrence_call *c, int64_t slice) {
  int64_t width = c->kernels->product_width;
  return attn_min(width, c->layer->hidden - slice * width);
}

/* out[rows][columns of the slice] += a[rows][depth] panel */
static void multiply_slice(const recurrence_call *c, char *out, int64_t out_stride, const void *a, int64_t a_row,
                           const char *panel, int64_t slice, int64_t depth, int64_t rows) {
  int64_t columns = attn_round_up(slice_units(c, slice), c->kernels->lanes);
  for (int64_t first = 0; first < depth; first += BLOCK_DEPTH)
    c->kernels->product(out, out_stride,
                        &(attn_operand){(const char *)a + first * c->bytes, c->kernels->product_rows * a_row, a_row, 1},
                        panel + first * columns * c->bytes, attn_min(BLOCK_DEPTH, depth - first), rows, columns, true);
}

/* A state of a part's sequences from [B, H], or zeros; and back. */
static void load_state(const recurrence_call *c, char *state, const void *array, int64_t part) {
  int64_t h = c->layer->hidden, count = part_rows(c, part, c->layer->batch);
  memset(state, 0, (size_t)(count * c->stride * c->bytes));
  for (int64_t r = 0; array && r < count; r++)
    memcpy(output_row(c, state, r, c->stride), input_row(c, array, part + r * c->parts, h), (size_t)(h * c->bytes));
}

static void store_state(const recurrence_call *c, const char *state, void *array, int64_t part) {
  int64_t h = c->layer->hidden, count = part_rows(c, part, c->layer->batch);
  for (int64_t r = 0; array && r < count; r++)
    memcpy(output_row(c, array, part + r * c->parts, h), input_row(c, state, r, c->stride), (size_t)(h * c->bytes));
}

/* Scratch of a part: two states, and forward the recurrent part of one slice of all gates. */
static int64_t state_bytes(const recurrence_call *c) {
  return attn_round_up(part_rows(c, 0, c->layer->batch) * c->stride * c->bytes, ATTN_SCRATCH_ALIGNMENT);
}

static int64_t tile_bytes(const recurrence_call *c) {
  return attn_round_up(part_rows(c, 0, c->layer->batch) * c->gates * c->kernels->product_width * c->bytes,
                       ATTN_SCRATCH_ALIGNMENT);
}

static void forward_step(const recurrence_call *c, int64_t part, int64_t t, char *hidden, char *cell, char *tile) {
  const attn_recurrence *l = c->layer;
  const attn_recurrence_states *s = c->states;
  int64_t h = l->hidden, wide = c->gates * h, width = c->kernels->product_width, slice_bytes = h * width * c->bytes;
  int64_t rows = part_rows(c, part, l->step_rows[t]), first = c->starts[t] + part;
  for (int64_t slice = 0; slice < c->slices; slice++) {
    int64_t unit = slice * width, at = unit * c->bytes;
    for (int64_t g = 0; g < c->gates; g++) {
      char *column = tile + g * width * c->bytes;
      for (int64_t r = 0; r < rows; r++)
        memcpy(output_row(c, column, r, c->gates * width), input_row(c, c->hidden_bias, g, c->stride) + at,
               (size_t)(width * c->bytes));
      multiply_slice(c, column, c->gates * width, hidden, c->stride, c->panels + (g * c->slices + slice) * slice_bytes,
                     slice, h, rows);
    }
    attn_gates_block block = {.rows = rows,
                              .units = slice_units(c, slice),
                              .gates = part_output(c, (char *)s->gates + at, first, wide),
                              .bias = {c->input_bias + at, 0, c->stride},
                              .recurrent = {tile, c->gates * width, width},
                              .state = {(c->cell == ATTN_LSTM ? cell : hidden) + at, c->stride, 0},
                              .cell = part_output(c, (char *)s->cell + at, first, h),
                              .hidden = part_output(c, (char *)s->hidden + at, first, s->hidden_row)};
    (c->cell == ATTN_LSTM ? c->kernels->lstm_gates : c->kernels->gru_gates)(&block);
  }
  /* Only now: the other slices read the old state. */
  for (int64_t r = 0; r < rows; r++)
    memcpy(output_row(c, hidden, r, c->stride), input_row(c, s->hidden, first + r * c->parts, s->hidden_row),
           (size_t)(h * c->bytes));
}

static void forward_part(void *context, int thread, int64_t part) {
  (void)thread;
  const recurrence_call *c = context;
  const attn_recurrence *l = c->layer;
  char *hidden = c->parts_scratch + part * c->part_bytes, *cell = hidden + state_bytes(c);
  load_state(c, hidden, l->initial_hidden, part);
  if (c->cell == ATTN_LSTM) load_state(c, cell, l->initial_cell, part);
  for (int64_t i = 0; i < l->steps; i++)
    forward_step(c, part, l->reverse ? l->steps - 1 - i : i, hidden, cell, cell + state_bytes(c));
  store_state(c, hidden, c->states->final_hidden, part);
  if (c->cell == ATTN_LSTM) store_state(c, cell, c->states->final_cell, part);
}

static void backward_step(const recurrence_call *c, int64_t part, int64_t t, char *hidden, char *cell) {
  const attn_recurrence *l = c->layer;
  const attn_recurrence_states *s = c->states;
  const attn_recurrence_gradients *d = c->gradients;
  bool lstm = c->cell == ATTN_LSTM;
  int64_t h = l->hidden, wide = c->gates * h, width = c->kernels->product_width, before = step_before(l, t);
  int64_t rows = part_rows(c, part, l->step_rows[t]);
  int64_t later = before < 0 ? 0 : attn_min(rows, part_rows(c, part, l->step_rows[before]));
  const void *initial = lstm ? l->initial_cell : l->initial_hidden;
  int64_t state_row = lstm ? h : s->hidden_row;
  /* First the sequences that have a step before this one, then those that begin here. */
  for (int begins = 0; begins < 2; begins++) {
    int64_t low = begins ? later : 0, count = begins ? rows - later : later;
    int64_t sequence = part + low * c->parts, first = c->starts[t] + sequence;
    if (count == 0) continue;
    attn_gate_input previous = {c->zeros, 0, 0};
    if (!begins)
      previous = part_input(c, lstm ? s->cell : s->hidden, c->starts[before] + sequence, state_row);
    else if (initial)
      previous = part_input(c, initial, sequence, h);
    attn_gate_gradients_block block = {.rows = count,
                                       .units = h,
                                       .gates = part_input(c, s->gates, first, wide),
                                       .cell = part_input(c, s->cell, first, h),
                                       .previous = previous,
                                       .hidden_gradient = part_input(c, d->hidden, first, d->hidden_row),
                                       .hidden_state = {output_row(c, hidden, low, c->stride), c->stride, 0},
                                       .cell_state = {output_row(c, cell, low, c->stride), c->stride, 0},
                                       .gate_gradients = part_output(c, d->gates, first, wide),
                                       .recurrent_gradients = part_output(c, c->recurrent_gradients, first, wide)};
    (lstm ? c->kernels->lstm_gradients : c->kernels->gru_gradients)(&block);
  }
  if (lstm) memset(hidden, 0, (size_t)(rows * c->stride * c->bytes));
  for (int64_t slice = 0; slice < c->slices; slice++)
    multiply_slice(c, hidden + slice * width * c->bytes, c->stride,
                   input_row(c, c->recurrent_gradients, c->starts[t] + part, wide), c->parts * wide,
                   c->panels + slice * wide * width * c->bytes, slice, wide, rows);
}

static void backward_part(void *context, int thread, int64_t part) {
  (void)thread;
  const recurrence_call *c = context;
  const attn_recurrence *l = c->layer;
  const attn_recurrence_gradients *d = c->gradients;
  char *hidden = c->parts_scratch + part * c->part_bytes, *cell = hidden + state_bytes(c);
  load_state(c, hidden, d->final_hidden, part);
  if (c->cell == ATTN_LSTM) load_state(c, cell, d->final_cell, part);
  for (int64_t i = 0; i < l->steps; i++) backward_step(c, part, l->reverse ? i : l->steps - 1 - i, hidden, cell);
  store_state(c, hidden, d->initial_hidden, part);
  if (c->cell == ATTN_LSTM) store_state(c, cell, d->initial_cell, part);
}

/* A slice of one gate's W_hh^T. */
static void pack_forward(void *context, int thread, int64_t index) {
  (void)thread;
  const recurrence_call *c = context;
  int64_t h = c->layer->hidden, width = c->kernels->product_width;
  int64_t gate = index / c->slices, slice = index % c->slices;
  c->kernels->pack_panels_transposed(c->panels + index * h * width * c->bytes,
                                     input_row(c, c->layer->weight, gate * h + slice * width, h), h, h,
                                     slice_units(c, slice));
}

/* A slice of the columns of W_hh. */
static void pack_backward(void *context, int thread, int64_t slice) {
  (void)thread;
  const recurrence_call *c = context;
  int64_t h = c->layer->hidden, wide = c->gates * h, width = c->kernels->product_width;
  c->kernels->pack_panels(c->panels + slice * wide * width * c->bytes,
                          (const char *)c->layer->weight + slice * width * c->bytes, h, wide, slice_units(c, slice));
}

static void pad_bias(const recurrence_call *c, char *padded, const void *bias) {
  int64_t h = c->layer->hidden;
  memset(padded, 0, (size_t)(c->gates * c->stride * c->bytes));
  for (int64_t g = 0; bias && g < c->gates; g++)
    memcpy(output_row(c, padded, g, c->stride), input_row(c, bias, g, h), (size_t)(h * c->bytes));
}

/* h of the step before a step's rows. */
static void gather_previous(void *context, int thread, int64_t t) {
  (void)thread;
  const recurrence_call *c = context;
  const attn_recurrence *l = c->layer;
  int64_t h = l->hidden, before = step_before(l, t), later = before < 0 ? 0 : l->step_rows[before];
  for (int64_t r = 0; r < l->step_rows[t]; r++) {
    const void *from = r < later ? input_row(c, c->states->hidden, c->starts[before] + r, c->states->hidden_row)
                       : l->initial_hidden ? input_row(c, l->initial_hidden, r, h)
                                           : c->zeros;
    memcpy(output_row(c, c->previous, c->starts[t] + r, h), from, (size_t)(h * c->bytes));
  }
}

/* A block of columns of both biases' gradients. */
static void sum_columns(void *context, int thread, int64_t index) {
  (void)thread;
  const recurrence_call *c = context;
  int64_t wide = c->gates * c->layer->hidden, column = index * BIAS_COLUMNS;
  int64_t columns = attn_min(BIAS_COLUMNS, wide - column);
  const struct {
    void *sum;
    const void *rows;
  } biases[] = {{c->gradients->input_bias, c->gradients->gates}, {c->gradients->hidden_bias, c->recurrent_gradients}};
  for (int i = 0; i < 2; i++) {
    if (!biases[i].sum) continue;
    char *sum = (char *)biases[i].sum + column * c->bytes;
    memset(sum, 0, (size_t)(columns * c->bytes));
    for (int64_t r = 0; r < c->rows; r++)
      c->kernels->add_row(sum, 1, (const char *)input_row(c, biases[i].rows, r, wide) + column * c->bytes, columns);
  }
}

/* Memory of a call, one array behind the other; the bytes of all when memory is null. */
static int64_t place(recurrence_call *c, char *memory, int64_t product_bytes) {
  int64_t h = c->layer->hidden, wide = c->gates * h;
  bool backward = c->gradients != NULL, gru = c->cell == ATTN_GRU;
  const int64_t sizes[] = {(c->layer->steps + 1) * (int64_t)sizeof(int64_t),
                           c->gates * h * c->stride * c->bytes,
                           backward ? 0 : c->gates * c->stride * c->bytes,
                           backward ? 0 : c->gates * c->stride * c->bytes,
                           h * c->bytes,
                           backward && gru ? c->rows * wide * c->bytes : 0,
                           backward && c->gradients->weight ? c->rows * h * c->bytes : 0,
                           product_bytes,
                           c->parts * c->part_bytes};
  char *parts[9];
  int64_t at = 0;
  for (int i = 0; i < 9; i++) {
    parts[i] = memory ? memory + at : NULL;
    at += attn_round_up(sizes[i], ATTN_SCRATCH_ALIGNMENT);
  }
  c->starts = (int64_t *)(void *)parts[0];
  c->panels = parts[1], c->input_bias = parts[2], c->hidden_bias = parts[3], c->zeros = parts[4];
  c->recurrent_gradients = gru || !backward ? parts[5] : c->gradients->gates;
  c->previous = parts[6], c->product_scratch = parts[7], c->parts_scratch = parts[8];
  return at;
}

static void run_forward(recurrence_call *c, int threads) {
  attn_parallel(c->parts > 1 ? threads : 1, c->gates * c->slices, pack_forward, c);
  pad_bias(c, c->input_bias, c->layer->input_bias);
  pad_bias(c, c->hidden_bias, c->layer->hidden_bias);
  attn_parallel((int)c->parts, c->parts, forward_part, c);
}

static void run_backward(recurrence_call *c, attn_product *weight, int threads) {
  attn_parallel(c->parts > 1 ? threads : 1, c->slices, pack_backward, c);
  memset(c->zeros, 0, (size_t)(c->layer->hidden * c->bytes));
  attn_parallel((int)c->parts, c->parts, backward_part, c);
  if (c->gradients->input_bias || c->gradients->hidden_bias) {
    int64_t columns = c->gates * c->layer->hidden;
    attn_parallel(c->parts > 1 ? threads : 1, (columns + BIAS_COLUMNS - 1) / BIAS_COLUMNS, sum_columns, c);
  }
  if (c->gradients->weight) {
    attn_parallel(c->parts > 1 ? threads : 1, c->layer->steps, gather_previous, c);
    weight->a = c->recurrent_gradients, weight->b = c->previous, weight->c = c->gradients->weight;
    attn_product_run(weight, c->product_scratch);
  }
}

attn_status attn_recurrence_run(attn_cell cell, const attn_recurrence *layer, const attn_recurrence_states *states,
                                const attn_recurrence_gradients *gradients) {
  const attn_kernels *kernels = attn_kernels_for(layer->type, NULL);
  if (!kernels) return ATTN_ERROR_ISA;
  recurrence_call c = {.cell = cell,
                       .layer = layer,
                       .states = states,
                       .gradients = gradients,
                       .kernels = kernels,
                       .bytes = kernels->real_bytes,
                       .gates = attn_cell_gates(cell)};
  int64_t h = layer->hidden, wide = c.gates * h;
  for (int64_t t = 0; t < layer->steps; t++) c.rows += layer->step_rows[t];
  c.stride = attn_round_up(h, kernels->product_width);
  c.slices = c.stride / kernels->product_width;
  int64_t work = (int64_t)attn_min(INT32_MAX, (int64_t)((double)c.rows * (double)wide * (double)h / PART_WORK));
  int64_t most = layer->threads ? layer->threads : attn_max_threads();
  c.parts = attn_max(1, attn_min(attn_min(most, work), layer->batch / PART_ROWS));
  c.part_bytes = 2 * state_bytes(&c) + (gradients ? 0 : tile_bytes(&c));

  int threads = (int)(work > 1 ? most : 1);
  attn_product weight = {.kernels = kernels,
                         .type = layer->type,
                         .transpose_a = true,
                         .threads = threads,
                         .m = wide,
                         .n = h,
                         .k = c.rows,
                         .lda = wide,
                         .ldb = h,
                         .ldc = h};
  int64_t product_bytes = gradients && gradients->weight ? attn_product_bytes(&weight) : 0;
  int64_t bytes = place(&c, NULL, product_bytes);
  attn_arena *arena = attn_arena_take((size_t)bytes);
  if (!arena)
    return attn_fail(ATTN_ERROR_OUT_OF_MEMORY, "%lld bytes of scratch memory are not to be had", (long long)bytes);
  place(&c, arena->data, product_bytes);
  c.starts[0] = 0;
  for (int64_t t = 0; t < layer->steps; t++) c.starts[t + 1] = c.starts[t] + layer->step_rows[t];
  if (gradients)
    run_backward(&c, &weight, threads);
  else
    run_forward(&c, threads);
  attn_arena_give(arena);
  return ATTN_OK;
}
