/* Matrix products and recurrent layers. */
#include "check.h"
#include "regions.h"
#include "view.h"

attn_status attn_check_matmul(attn_type type, bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k,
                              const void *a, int64_t lda, const void *b, int64_t ldb, const void *c, int64_t ldc,
                              int threads) {
  CHECK(type == ATTN_F32 || type == ATTN_F64, ATTN_ERROR_TYPE, "type is %d; matrix products take F32 and F64",
        (int)type);
  CHECK(threads >= 0, ATTN_ERROR_THREADS, "threads is %d; it must be positive, or 0 for the default", threads);
  const struct {
    const char *name;
    int64_t value;
  } sizes[] = {{"m", m}, {"n", n}, {"k", k}};
  for (int i = 0; i < 3; i++) {
    CHECK(sizes[i].value >= 0, ATTN_ERROR_NEGATIVE_SIZE, "%s is %lld; it must be at least 0", sizes[i].name,
          (long long)sizes[i].value);
    CHECK(sizes[i].value <= INT32_MAX, ATTN_ERROR_OVERFLOW, "%s is %lld; the largest size is 2147483647", sizes[i].name,
          (long long)sizes[i].value);
  }
  if (m == 0 || n == 0) return ATTN_OK;
  int64_t bytes = attn_type_bytes(type);
  attn_region regions[3];
  int count = 0;
  attn_axis a_axes[] = {{transpose_a ? k : m, lda}, {transpose_a ? m : k, 1}};
  attn_axis b_axes[] = {{transpose_b ? n : k, ldb}, {transpose_b ? k : n, 1}};
  attn_axis c_axes[] = {{1, 0}, {1, 0}, {m, ldc}, {n, 1}};
  attn_status status = attn_add_region(regions, &count, "a", a, a_axes, 2, bytes);
  if (status == ATTN_OK) status = attn_add_region(regions, &count, "b", b, b_axes, 2, bytes);
  if (status == ATTN_OK) status = attn_add_output(regions, &count, "c", c, c_axes, bytes);
  return status;
}

/* A layer, its states and its gradients together. */
#define MOST_REGIONS 18

static attn_status check_recurrence_sizes(const attn_recurrence *l, const attn_recurrence_states *s, int64_t *rows) {
  CHECK(l && s, ATTN_ERROR_NULL_POINTER, "%s is null", l ? "states" : "layer");
  CHECK(l->type == ATTN_F32 || l->type == ATTN_F64, ATTN_ERROR_TYPE, "type is %d; recurrent layers take F32 and F64",
        (int)l->type);
  CHECK(l->threads >= 0, ATTN_ERROR_THREADS, "threads is %d; it must be positive, or 0 for the default", l->threads);
  const struct {
    const char *name;
    int64_t size, least, most;
  } sizes[] = {{"batch", l->batch, 0, INT32_MAX}, {"hidden", l->hidden, 1, 1 << 24}, {"steps", l->steps, 0, INT32_MAX}};
  for (int i = 0; i < 3; i++) {
    CHECK(sizes[i].size >= sizes[i].least, ATTN_ERROR_NEGATIVE_SIZE, "%s is %lld; it must be at least %lld",
          sizes[i].name, (long long)sizes[i].size, (long long)sizes[i].least);
    CHECK(sizes[i].size <= sizes[i].most, ATTN_ERROR_OVERFLOW, "%s is %lld; the largest size is %lld", sizes[i].name,
          (long long)sizes[i].size, (long long)sizes[i].most);
  }
  CHECK(l->step_rows || l->steps == 0, ATTN_ERROR_NULL_POINTER, "step_rows is null");
  *rows = 0;
  for (int64_t t = 0; t < l->steps; t++) {
    int64_t most = t == 0 ? l->batch : l->step_rows[t - 1];
    CHECK(l->step_rows[t] >= 0 && l->step_rows[t] <= most, ATTN_ERROR_PACKING,
          "step_rows[%lld] is %lld; it must be at least 0 and at most %lld, the rows %s", (long long)t,
          (long long)l->step_rows[t], (long long)most, t == 0 ? "of the batch" : "of the step before");
    *rows += l->step_rows[t];
  }
  return ATTN_OK;
}

typedef struct matrix {
  const char *name;
  const void *data;
  int64_t rows, row, width;
  bool required;
} matrix;

/* Adds those of the matrices that are there. */
static attn_status add_matrices(attn_region *regions, int *count, const matrix *matrices, int matrix_count,
                                bool written, int64_t element_bytes) {
  attn_status status = ATTN_OK;
  for (int i = 0; i < matrix_count && status == ATTN_OK; i++) {
    const matrix *m = &matrices[i];
    if (!m->data && !m->required) continue;
    const attn_axis axes[] = {{1, 0}, {1, 0}, {m->rows, m->row}, {m->width, 1}};
    status = written ? attn_add_output(regions, count, m->name, m->data, axes, element_bytes)
                     : attn_add_region(regions, count, m->name, m->data, axes, 4, element_bytes);
  }
  return status;
}

#define COUNT(array) ((int)(sizeof(array) / sizeof(array)[0]))

static attn_status add_layer(attn_cell cell, const attn_recurrence *l, attn_region *regions, int *count) {
  int64_t h = l->hidden, wide = attn_cell_gates(cell) * h;
  const matrix inputs[] = {{"weight", l->weight, wide, h, h, true},
                           {"input_bias", l->input_bias, 1, 0, wide, false},
                           {"hidden_bias", l->hidden_bias, 1, 0, wide, false},
                           {"initial_hidden", l->initial_hidden, l->batch, h, h, false},
                           {"initial_cell", cell == ATTN_LSTM ? l->initial_cell : NULL, l->batch, h, h, false}};
  return add_matrices(regions, count, inputs, COUNT(inputs), false, attn_type_bytes(l->type));
}

attn_status attn_check_recurrence(attn_cell cell, const attn_recurrence *l, const attn_recurrence_states *s) {
  int64_t rows;
  attn_status status = check_recurrence_sizes(l, s, &rows);
  if (status != ATTN_OK) return status;
  int64_t h = l->hidden, wide = attn_cell_gates(cell) * h;
  attn_region regions[MOST_REGIONS];
  int count = 0;
  status = add_layer(cell, l, regions, &count);
  const matrix outputs[] = {{"gates", s->gates, rows, wide, wide, true},
                            {"cell", s->cell, rows, h, h, true},
                            {"hidden", s->hidden, rows, s->hidden_row, h, true},
                            {"final_hidden", s->final_hidden, l->batch, h, h, false},
                            {"final_cell", cell == ATTN_LSTM ? s->final_cell : NULL, l->batch, h, h, false}};
  if (status == ATTN_OK)
    status = add_matrices(regions, &count, outputs, COUNT(outputs), true, attn_type_bytes(l->type));
  return status;
}

attn_status attn_check_recurrence_gradients(attn_cell cell, const attn_recurrence *l, const attn_recurrence_states *s,
                                            const attn_recurrence_gradients *g) {
  int64_t rows;
  attn_status status = check_recurrence_sizes(l, s, &rows);
  if (status != ATTN_OK) return status;
  CHECK(g, ATTN_ERROR_NULL_POINTER, "gradients is null");
  int64_t h = l->hidden, wide = attn_cell_gates(cell) * h, bytes = attn_type_bytes(l->type);
  bool lstm = cell == ATTN_LSTM;
  attn_region regions[MOST_REGIONS];
  int count = 0;
  status = add_layer(cell, l, regions, &count);
  const matrix inputs[] = {{"gates", s->gates, rows, wide, wide, true},
                           {"cell", s->cell, rows, h, h, true},
                           {"hidden", s->hidden, rows, s->hidden_row, h, true},
                           {"gradients.hidden", g->hidden, rows, g->hidden_row, h, false},
                           {"gradients.final_hidden", g->final_hidden, l->batch, h, h, false},
                           {"gradients.final_cell", lstm ? g->final_cell : NULL, l->batch, h, h, false}};
  const matrix outputs[] = {{"gradients.gates", g->gates, rows, wide, wide, true},
                            {"gradients.weight", g->weight, wide, h, h, false},
                            {"gradients.input_bias", g->input_bias, 1, 0, wide, false},
                            {"gradients.hidden_bias", g->hidden_bias, 1, 0, wide, false},
                            {"gradients.initial_hidden", g->initial_hidden, l->batch, h, h, false},
                            {"gradients.initial_cell", lstm ? g->initial_cell : NULL, l->batch, h, h, false}};
  if (status == ATTN_OK) status = add_matrices(regions, &count, inputs, COUNT(inputs), false, bytes);
  if (status == ATTN_OK) status = add_matrices(regions, &count, outputs, COUNT(outputs), true, bytes);
  return status;
}
