#include <math.h>

#include "check.h"
#include "regions.h"
#include "view.h"

static attn_status check_training(attn_type type, int threads) {
  CHECK(type == ATTN_F32 || type == ATTN_F64, ATTN_ERROR_TYPE, "type is %d; training takes F32 and F64", (int)type);
  CHECK(threads >= 0, ATTN_ERROR_THREADS, "threads is %d; it must be positive, or 0 for the default", threads);
  return ATTN_OK;
}

static attn_status check_extent(const char *name, int64_t size, int64_t least, int64_t most) {
  CHECK(size >= least, ATTN_ERROR_NEGATIVE_SIZE, "%s is %lld; it must be at least %lld", name, (long long)size,
        (long long)least);
  CHECK(size <= most, ATTN_ERROR_OVERFLOW, "%s is %lld; the largest is %lld", name, (long long)size, (long long)most);
  return ATTN_OK;
}

attn_status attn_check_cross_entropy(const attn_cross_entropy_problem *p, const attn_cross_entropy_sums *sums) {
  CHECK(p && sums, ATTN_ERROR_NULL_POINTER, "%s is null", p ? "sums" : "problem");
  attn_status status = check_training(p->type, p->threads);
  if (status == ATTN_OK) status = check_extent("rows", p->rows, 0, INT32_MAX);
  if (status == ATTN_OK) status = check_extent("hidden", p->hidden, 1, 1 << 24);
  if (status == ATTN_OK) status = check_extent("classes", p->classes, 1, 1 << 30);
  if (status != ATTN_OK) return status;
  CHECK(p->smoothing >= 0 && p->smoothing < 1, ATTN_ERROR_NOT_FINITE, "smoothing is %g; it must be in [0, 1)",
        p->smoothing);
  CHECK(isfinite(p->scale), ATTN_ERROR_NOT_FINITE, "scale is %g", p->scale);
  CHECK(p->rows == 0 || (p->hidden_rows && p->weight && p->targets), ATTN_ERROR_NULL_POINTER, "%s is null",
        !p->hidden_rows ? "hidden_rows"
        : !p->weight    ? "weight"
                        : "targets");
  for (int64_t r = 0; r < p->rows; r++)
    CHECK(p->targets[r] >= 0 && p->targets[r] < p->classes, ATTN_ERROR_SELECTION,
          "targets[%lld] is %lld; it must be in [0, %lld)", (long long)r, (long long)p->targets[r],
          (long long)p->classes);
  int64_t bytes = attn_type_bytes(p->type);
  attn_region regions[6];
  int count = 0;
  attn_axis hidden[] = {{1, 0}, {1, 0}, {p->rows, p->hidden}, {p->hidden, 1}};
  attn_axis weight[] = {{1, 0}, {1, 0}, {p->classes, p->hidden}, {p->hidden, 1}};
  attn_axis bias[] = {{1, 0}, {1, 0}, {1, 0}, {p->classes, 1}};
  if (p->rows > 0) {
    status = attn_add_region(regions, &count, "hidden_rows", p->hidden_rows, hidden + 2, 2, bytes);
    if (status == ATTN_OK) status = attn_add_region(regions, &count, "weight", p->weight, weight + 2, 2, bytes);
    if (status == ATTN_OK && p->bias) status = attn_add_region(regions, &count, "bias", p->bias, bias + 2, 2, bytes);
    if (status == ATTN_OK && p->hidden_gradient)
      status = attn_add_output(regions, &count, "hidden_gradient", p->hidden_gradient, hidden, bytes);
  }
  if (status == ATTN_OK && p->weight_gradient)
    status = attn_add_output(regions, &count, "weight_gradient", p->weight_gradient, weight, bytes);
  if (status == ATTN_OK && p->bias_gradient)
    status = attn_add_output(regions, &count, "bias_gradient", p->bias_gradient, bias, bytes);
  return status;
}

attn_status attn_check_numbers(attn_type type, int64_t count, const void *data, const char *name, int threads) {
  attn_status status = check_training(type, threads);
  if (status == ATTN_OK) status = check_extent("count", count, 0, INT64_MAX / 16);
  if (status != ATTN_OK) return status;
  CHECK(data || count == 0, ATTN_ERROR_NULL_POINTER, "%s is null", name);
  return ATTN_OK;
}

attn_status attn_check_rows(attn_type type, int64_t rows, int64_t columns, const void *x, int threads) {
  attn_status status = check_extent("rows", rows, 0, INT32_MAX);
  if (status == ATTN_OK) status = check_extent("columns", columns, 0, 1 << 30);
  return status == ATTN_OK ? attn_check_numbers(type, rows * columns, x, "x", threads) : status;
}

attn_status attn_check_copy(attn_type type, int64_t rows, int64_t columns, const void *src, int64_t src_stride,
                            const void *dst, int64_t dst_stride, int threads) {
  attn_status status = check_training(type, threads);
  if (status == ATTN_OK) status = check_extent("rows", rows, 0, INT32_MAX);
  if (status == ATTN_OK) status = check_extent("columns", columns, 0, 1 << 30);
  if (status == ATTN_OK) status = check_extent("src_stride", src_stride, 0, INT32_MAX);
  if (status == ATTN_OK) status = check_extent("dst_stride", dst_stride, 0, INT32_MAX);
  if (status != ATTN_OK) return status;
  CHECK((src && dst) || rows == 0 || columns == 0, ATTN_ERROR_NULL_POINTER, "%s is null", src ? "dst" : "src");
  return ATTN_OK;
}

attn_status attn_check_adam(const attn_adam *a, const attn_adam_part *parts, int64_t count) {
  CHECK(a, ATTN_ERROR_NULL_POINTER, "adam is null");
  attn_status status = check_training(a->type, a->threads);
  if (status == ATTN_OK) status = check_extent("count", count, 0, INT32_MAX);
  if (status == ATTN_OK) status = check_extent("step", a->step, 1, INT64_MAX);
  if (status != ATTN_OK) return status;
  const struct {
    const char *name;
    double value, below;
  } factors[] = {{"rate", a->rate, INFINITY},
                 {"beta1", a->beta1, 1},
                 {"beta2", a->beta2, 1},
                 {"decay", a->decay, INFINITY},
                 {"epsilon", a->epsilon, INFINITY}};
  for (int i = 0; i < 5; i++)
    CHECK(factors[i].value >= 0 && factors[i].value < factors[i].below, ATTN_ERROR_NOT_FINITE,
          "%s is %g; it must be at least 0 and below %g", factors[i].name, factors[i].value, factors[i].below);
  CHECK(isfinite(a->scale), ATTN_ERROR_NOT_FINITE, "scale is %g", a->scale);
  CHECK(parts || count == 0, ATTN_ERROR_NULL_POINTER, "parts is null");
  for (int64_t i = 0; i < count; i++) {
    status = check_extent("a part's count", parts[i].count, 0, INT64_MAX / 16);
    if (status != ATTN_OK) return status;
    CHECK(parts[i].count == 0 || (parts[i].parameter && parts[i].mean && parts[i].square), ATTN_ERROR_NULL_POINTER,
          "part %lld has a null pointer", (long long)i);
  }
  return ATTN_OK;
}
