/* The public calls: check, plan, drive. */
#include <math.h>

#include "backward.h"
#include "check.h"
#include "dispatch.h"
#include "forward.h"
#include "matmul.h"
#include "parallel.h"
#include "recurrent.h"
#include "scratch.h"
#include "status.h"
#include "view.h"
#include "weights.h"

#define TEXT_(x) #x
#define TEXT(x) TEXT_(x)

const char *attn_version(void) {
  return TEXT(ATTN_VERSION_MAJOR) "." TEXT(ATTN_VERSION_MINOR) "." TEXT(ATTN_VERSION_PATCH);
}

attn_input attn_input_bhsd(const void *data, int64_t heads, int64_t rows, int64_t dim) {
  return (attn_input){data, heads * rows * dim, rows * dim, dim};
}

attn_input attn_input_bshd(const void *data, int64_t heads, int64_t rows, int64_t dim) {
  return (attn_input){data, rows * heads * dim, dim, heads * dim};
}

attn_output attn_output_bhsd(void *data, int64_t heads, int64_t rows, int64_t dim) {
  return (attn_output){data, heads * rows * dim, rows * dim, dim};
}

attn_output attn_output_bshd(void *data, int64_t heads, int64_t rows, int64_t dim) {
  return (attn_output){data, rows * heads * dim, dim, heads * dim};
}

/* Sizes that attn_check_options will refuse must not overflow in the strides first. */
static attn_input dense(int64_t heads, int64_t rows, int64_t dim) {
  const int64_t largest = INT32_MAX;
  if (heads < 0 || rows < 0 || dim < 0 || heads > largest || rows > largest || dim > largest) return (attn_input){0};
  attn_input view = {.stride_row = dim, .stride_head = rows * dim};
  if (__builtin_mul_overflow(heads, view.stride_head, &view.stride_batch)) view.stride_batch = INT64_MAX;
  return view;
}

attn_problem attn_problem_init(attn_type type, int64_t batch, int64_t query_heads, int64_t kv_heads,
                               int64_t query_length, int64_t key_length, int64_t head_dim, int64_t value_dim) {
  return (attn_problem){.struct_size = sizeof(attn_problem),
                        .type = type,
                        .batch = batch,
                        .query_heads = query_heads,
                        .kv_heads = kv_heads,
                        .query_length = query_length,
                        .key_length = key_length,
                        .head_dim = head_dim,
                        .value_dim = value_dim,
                        .query = dense(query_heads, query_length, head_dim),
                        .key = dense(kv_heads, key_length, head_dim),
                        .value = dense(kv_heads, key_length, value_dim),
                        .scale = head_dim > 0 ? 1 / sqrt((double)head_dim) : 1,
                        .window_left = ATTN_UNBOUNDED,
                        .window_right = ATTN_UNBOUNDED};
}

/* Scratch memory for one call; null with the error set when there is none. */
static attn_arena *scratch_of(int64_t bytes) {
  attn_arena *arena = attn_arena_take((size_t)bytes);
  if (!arena) attn_fail(ATTN_ERROR_OUT_OF_MEMORY, "%lld bytes of scratch memory are not to be had", (long long)bytes);
  return arena;
}

attn_status attn_forward(const attn_problem *problem, const attn_output *output, const attn_output *lse) {
  attn_plan plan;
  attn_status status = attn_check_options(problem);
  if (status == ATTN_OK) status = attn_check_data(problem, output, lse);
  if (status == ATTN_OK) status = attn_plan_make(problem, &plan);
  if (status != ATTN_OK || plan.items == 0) return status;
  attn_arena *arena = scratch_of(plan.thread_bytes * plan.threads);
  if (!arena) return ATTN_ERROR_OUT_OF_MEMORY;
  attn_forward_run(problem, &plan, output, lse, arena->data);
  attn_arena_give(arena);
  return ATTN_OK;
}

attn_status attn_backward(const attn_problem *problem, const attn_input *output, const attn_input *lse,
                          const attn_input *output_gradient, const attn_gradients *gradients) {
  attn_backward_plan plan;
  attn_status status = attn_check_options(problem);
  if (status == ATTN_OK) status = attn_check_gradients(problem, output, lse, output_gradient, gradients);
  if (status == ATTN_OK) status = attn_backward_plan_make(problem, &plan);
  if (status != ATTN_OK) return status;
  attn_arena *arena = scratch_of(plan.shared_bytes + plan.thread_bytes * plan.threads);
  if (!arena) return ATTN_ERROR_OUT_OF_MEMORY;
  attn_backward_run(problem, &plan, output, lse, output_gradient, gradients, arena->data);
  attn_arena_give(arena);
  return ATTN_OK;
}

attn_status attn_matmul(attn_type type, bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k,
                        const void *a, int64_t lda, const void *b, int64_t ldb, void *c, int64_t ldc, bool accumulate,
                        int threads) {
  attn_status status = attn_check_matmul(type, transpose_a, transpose_b, m, n, k, a, lda, b, ldb, c, ldc, threads);
  if (status != ATTN_OK || m == 0 || n == 0) return status;
  attn_product product = {.kernels = attn_kernels_for(type, NULL),
                          .threads = attn_threads_worth(threads, 2 * (double)m * (double)n * (double)k),
                          .type = type,
                          .transpose_a = transpose_a,
                          .transpose_b = transpose_b,
                          .accumulate = accumulate,
                          .m = m,
                          .n = n,
                          .k = k,
                          .lda = lda,
                          .ldb = ldb,
                          .ldc = ldc,
                          .a = a,
                          .b = b,
                          .c = c};
  if (!product.kernels) return ATTN_ERROR_ISA;
  attn_arena *arena = scratch_of(attn_product_bytes(&product));
  if (!arena) return ATTN_ERROR_OUT_OF_MEMORY;
  attn_product_run(&product, arena->data);
  attn_arena_give(arena);
  return ATTN_OK;
}

attn_status attn_weights(const attn_problem *problem, const void *lse, const attn_weights_request *request) {
  attn_weights_plan plan;
  attn_status status = attn_check_options(problem);
  if (status == ATTN_OK) status = attn_check_weights(problem, lse, request);
  if (status == ATTN_OK) status = attn_weights_plan_make(problem, request, &plan);
  if (status != ATTN_OK) return status;
  attn_arena *arena = scratch_of(plan.thread_bytes * plan.tiles.threads);
  if (!arena) return ATTN_ERROR_OUT_OF_MEMORY;
  attn_weights_run(problem, &plan, lse, request, arena->data);
  attn_arena_give(arena);
  return ATTN_OK;
}

static attn_status recurrence_forward(attn_cell cell, const attn_recurrence *layer,
                                      const attn_recurrence_states *states) {
  attn_status status = attn_check_recurrence(cell, layer, states);
  return status == ATTN_OK ? attn_recurrence_run(cell, layer, states, NULL) : status;
}

static attn_status recurrence_backward(attn_cell cell, const attn_recurrence *layer,
                                       const attn_recurrence_states *states,
                                       const attn_recurrence_gradients *gradients) {
  attn_status status = attn_check_recurrence_gradients(cell, layer, states, gradients);
  return status == ATTN_OK ? attn_recurrence_run(cell, layer, states, gradients) : status;
}

attn_status attn_lstm_forward(const attn_recurrence *layer, const attn_recurrence_states *states) {
  return recurrence_forward(ATTN_LSTM, layer, states);
}

attn_status attn_gru_forward(const attn_recurrence *layer, const attn_recurrence_states *states) {
  return recurrence_forward(ATTN_GRU, layer, states);
}

attn_status attn_lstm_backward(const attn_recurrence *layer, const attn_recurrence_states *states,
                               const attn_recurrence_gradients *gradients) {
  return recurrence_backward(ATTN_LSTM, layer, states, gradients);
}

attn_status attn_gru_backward(const attn_recurrence *layer, const attn_recurrence_states *states,
                              const attn_recurrence_gradients *gradients) {
  return recurrence_backward(ATTN_GRU, layer, states, gradients);
}

int64_t attn_progress_read(const int64_t *progress) {
  return progress ? __atomic_load_n(progress, __ATOMIC_RELAXED) : 0;
}

attn_status attn_alibi_slopes(int64_t heads, double *slopes) {
  if (heads < 0) return attn_fail(ATTN_ERROR_NEGATIVE_SIZE, "heads is %lld", (long long)heads);
  if (heads > 0 && !slopes) return attn_fail(ATTN_ERROR_NULL_POINTER, "slopes is null");
  int64_t power = 1;
  while (power <= heads / 2) power *= 2;
  for (int64_t h = 0; h < heads; h++)
    slopes[h] = h < power ? exp2(-8.0 * (double)(h + 1) / (double)power)
                          : exp2(-4.0 * (double)(2 * (h - power) + 1) / (double)power);
  return ATTN_OK;
}
