#include "check.h"

#include <math.h>
#include <stdlib.h>

#include "status.h"
#include "view.h"

#define CHECK(condition, status, ...)                        \
  do {                                                       \
    if (!(condition)) return attn_fail(status, __VA_ARGS__); \
  } while (0)

static attn_status check_sizes(const attn_problem *p) {
  const struct {
    const char *name;
    int64_t size, least;
  } sizes[] = {{"batch", p->batch, 0},           {"query_heads", p->query_heads, 1},
               {"kv_heads", p->kv_heads, 1},     {"query_length", p->query_length, 0},
               {"key_length", p->key_length, 0}, {"head_dim", p->head_dim, 1},
               {"value_dim", p->value_dim, 1}};
  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
    CHECK(sizes[i].size >= sizes[i].least, ATTN_ERROR_NEGATIVE_SIZE, "%s is %lld; it must be at least %lld",
          sizes[i].name, (long long)sizes[i].size, (long long)sizes[i].least);
    CHECK(sizes[i].size <= INT32_MAX, ATTN_ERROR_OVERFLOW, "%s is %lld; the largest size is 2147483647", sizes[i].name,
          (long long)sizes[i].size);
  }
  CHECK(p->query_heads % p->kv_heads == 0, ATTN_ERROR_HEAD_GROUPS,
        "query_heads (%lld) is not a multiple of kv_heads (%lld)", (long long)p->query_heads, (long long)p->kv_heads);
  return ATTN_OK;
}

static attn_status check_scalars(const attn_problem *p) {
  bool wide = p->type == ATTN_F64;
  /* The kernels fold log2 e into the scale, and scale / softcap when there is a cap. */
  double folded = 1.4426950408889634 * p->scale;
  CHECK(isfinite(p->scale) && isfinite(wide ? folded : (double)(float)folded), ATTN_ERROR_NOT_FINITE,
        "scale is %g; it must be finite in the type computed in", p->scale);
  CHECK(isfinite(p->softcap) && isfinite(wide ? p->softcap : (double)(float)p->softcap), ATTN_ERROR_NOT_FINITE,
        "softcap is %g; it must be finite in the type computed in", p->softcap);
  CHECK(p->softcap >= 0, ATTN_ERROR_SOFTCAP, "softcap is %g; it must be positive, or 0 for none", p->softcap);
  if (p->softcap > 0) {
    double ratio = p->scale / p->softcap;
    CHECK(isfinite(wide ? ratio : (double)(float)ratio), ATTN_ERROR_NOT_FINITE,
          "scale / softcap is %g; it must be finite in the type computed in", ratio);
  }
  CHECK(p->dropout_probability >= 0 && p->dropout_probability < 1, ATTN_ERROR_DROPOUT,
        "dropout_probability is %g; it must be at least 0 and below 1", p->dropout_probability);
  CHECK(p->window_left >= ATTN_UNBOUNDED && p->window_right >= ATTN_UNBOUNDED, ATTN_ERROR_WINDOW,
        "window is (%lld, %lld); a side is a number of keys, or -1 for unbounded", (long long)p->window_left,
        (long long)p->window_right);
  CHECK(p->threads >= 0, ATTN_ERROR_THREADS, "threads is %d; it must be positive, or 0 for the default", p->threads);
  return ATTN_OK;
}

static attn_status check_starts(const char *name, const int64_t *starts, int64_t batch, int64_t longest) {
  CHECK(starts[0] >= 0 && starts[0] <= INT32_MAX, ATTN_ERROR_PACKING, "%s[0] is %lld", name, (long long)starts[0]);
  for (int64_t b = 0; b < batch; b++) {
    CHECK(starts[b + 1] >= starts[b] && starts[b + 1] <= (int64_t)INT32_MAX * 64, ATTN_ERROR_PACKING,
          "%s[%lld] is %lld, after %lld: starts must not decrease", name, (long long)(b + 1), (long long)starts[b + 1],
          (long long)starts[b]);
    CHECK(starts[b + 1] - starts[b] <= longest, ATTN_ERROR_PACKING,
          "%s gives sequence %lld a length of %lld; the shape allows %lld", name, (long long)b,
          (long long)(starts[b + 1] - starts[b]), (long long)longest);
  }
  return ATTN_OK;
}

static attn_status check_pages(const attn_problem *p) {
  CHECK(!p->key_starts, ATTN_ERROR_PAGES, "page_table and key_starts exclude each other");
  CHECK(p->page_rows >= 1 && p->page_rows <= INT32_MAX, ATTN_ERROR_PAGES, "page_rows is %lld; it must be at least 1",
        (long long)p->page_rows);
  CHECK(p->page_count >= 0 && p->page_count <= INT32_MAX, ATTN_ERROR_PAGES, "page_count is %lld",
        (long long)p->page_count);
  CHECK(p->pages_per_sequence >= 0 && p->pages_per_sequence <= INT32_MAX, ATTN_ERROR_PAGES,
        "pages_per_sequence is %lld", (long long)p->pages_per_sequence);
  for (int64_t b = 0; b < p->batch; b++) {
    int64_t keys = p->key_lengths ? p->key_lengths[b] : p->key_length;
    int64_t pages = (keys + p->page_rows - 1) / p->page_rows;
    CHECK(pages <= p->pages_per_sequence, ATTN_ERROR_PAGES,
          "sequence %lld has %lld keys: that takes %lld pages of %lld rows, pages_per_sequence is %lld", (long long)b,
          (long long)keys, (long long)pages, (long long)p->page_rows, (long long)p->pages_per_sequence);
    for (int64_t i = 0; i < pages; i++) {
      int32_t page = p->page_table[b * p->pages_per_sequence + i];
      CHECK(page >= 0 && page < p->page_count, ATTN_ERROR_PAGES,
            "page_table names page %d for sequence %lld; there are %lld pages", (int)page, (long long)b,
            (long long)p->page_count);
    }
  }
  return ATTN_OK;
}

attn_status attn_check_options(const attn_problem *p) {
  CHECK(p, ATTN_ERROR_NULL_POINTER, "problem is null");
  CHECK(p->struct_size == sizeof(attn_problem), ATTN_ERROR_UNINITIALIZED,
        "struct_size is %zu, expected %zu: make problems with attn_problem_init", p->struct_size, sizeof(attn_problem));
  CHECK((unsigned)p->type <= ATTN_BF16, ATTN_ERROR_TYPE, "type is %d, which is no attn_type", (int)p->type);
  attn_status status = check_sizes(p);
  if (status == ATTN_OK) status = check_scalars(p);
  if (status != ATTN_OK) return status;

  CHECK((unsigned)p->alignment <= ATTN_ALIGN_OFFSETS, ATTN_ERROR_ALIGNMENT,
        "alignment is %d, which is no attn_alignment", (int)p->alignment);
  CHECK(p->alignment != ATTN_ALIGN_OFFSETS || p->query_offsets || p->batch == 0, ATTN_ERROR_NULL_POINTER,
        "alignment is by query_offsets, which is null");
  CHECK(!p->causal || p->alignment != ATTN_ALIGN_SQUARE || p->query_length == p->key_length, ATTN_ERROR_ALIGNMENT,
        "causal with query_length %lld and key_length %lld needs an alignment: top left, bottom right or an offset",
        (long long)p->query_length, (long long)p->key_length);
  if (p->bias.data) {
    CHECK((unsigned)p->bias.type <= ATTN_BF16, ATTN_ERROR_TYPE, "bias.type is %d, which is no attn_type",
          (int)p->bias.type);
    CHECK((p->bias.type == ATTN_F64) == (p->type == ATTN_F64), ATTN_ERROR_TYPE,
          "bias.type does not go with type: F64 goes with F64 only");
  }
  if (p->query_starts) status = check_starts("query_starts", p->query_starts, p->batch, p->query_length);
  if (status == ATTN_OK && p->key_starts) status = check_starts("key_starts", p->key_starts, p->batch, p->key_length);
  if (status != ATTN_OK) return status;
  for (int64_t b = 0; p->causal && p->alignment == ATTN_ALIGN_SQUARE && b < p->batch; b++) {
    attn_sequence s = attn_sequence_of(p, b);
    CHECK(s.queries == s.all_keys, ATTN_ERROR_ALIGNMENT,
          "causal with %lld queries and %lld keys in sequence %lld needs an alignment: top left, bottom right or an "
          "offset",
          (long long)s.queries, (long long)s.all_keys, (long long)b);
  }
  if (p->key_lengths)
    for (int64_t b = 0; b < p->batch; b++)
      CHECK(p->key_lengths[b] >= 0 && p->key_lengths[b] <= p->key_length, ATTN_ERROR_KEY_LENGTH,
            "key_lengths[%lld] is %lld; key_length is %lld", (long long)b, (long long)p->key_lengths[b],
            (long long)p->key_length);
  return p->page_table ? check_pages(p) : ATTN_OK;
}

/* The bytes from the first to behind the last element of a view, as offsets from its data pointer. */
typedef struct extent {
  int64_t low, high;
} extent;

typedef struct axis {
  int64_t size, stride;
} axis;

static bool extent_of(const axis *axes, int count, int64_t element_bytes, extent *result) {
  int64_t low = 0, high = 0, reach;
  for (int i = 0; i < count; i++) {
    if (__builtin_mul_overflow(axes[i].size - 1, axes[i].stride, &reach)) return false;
    if (__builtin_add_overflow(reach < 0 ? low : high, reach, reach < 0 ? &low : &high)) return false;
  }
  if (__builtin_add_overflow(high, 1, &high)) return false;
  return !__builtin_mul_overflow(low, element_bytes, &result->low) &&
         !__builtin_mul_overflow(high, element_bytes, &result->high);
}

/* Whether no two index tuples name the same element: taken from the smallest stride up, each stride must step over
 * all that the axes below it span. */
static bool distinct(const axis *axes, int count) {
  int64_t spanned = 0;
  bool done[4] = {false};
  for (;;) {
    /* Axes that are never stepped along may have any stride. */
    int next = -1;
    for (int i = 0; i < count; i++)
      if (!done[i] && axes[i].size > 1 && (next < 0 || llabs(axes[i].stride) < llabs(axes[next].stride))) next = i;
    if (next < 0) return true;
    done[next] = true;
    if (llabs(axes[next].stride) <= spanned) return false;
    spanned += (axes[next].size - 1) * llabs(axes[next].stride);
  }
}

typedef struct region {
  const char *name;
  uintptr_t low, high;
} region;

/* Appends the memory of a view to regions; nothing when it has no elements. */
static attn_status add_region(region *regions, int *count, const char *name, const void *data, const axis *axes,
                              int axis_count, int64_t element_bytes) {
  for (int i = 0; i < axis_count; i++)
    if (axes[i].size == 0) return ATTN_OK;
  CHECK(data, ATTN_ERROR_NULL_POINTER, "%s is null", name);
  extent e;
  CHECK(extent_of(axes, axis_count, element_bytes, &e), ATTN_ERROR_OVERFLOW,
        "the strides and sizes of %s overflow the address space", name);
  uintptr_t base = (uintptr_t)data, low = base + (uintptr_t)e.low, high = base + (uintptr_t)e.high;
  CHECK(low <= base && high >= base, ATTN_ERROR_OVERFLOW, "%s reaches beyond the address space", name);
  regions[(*count)++] = (region){name, low, high};
  return ATTN_OK;
}

/* What the sizes of a problem come to as axes: packed and paged views have rows where padded ones have batches. */
typedef struct problem_axes {
  axis query_batch, query_rows, key_batch, key_rows;
} problem_axes;

static problem_axes axes_of(const attn_problem *p) {
  problem_axes a = {{p->batch, 0}, {p->query_length, 0}, {p->batch, 0}, {p->key_length, 0}};
  if (p->query_starts) {
    a.query_batch.size = 1;
    a.query_rows.size = p->query_starts[p->batch];
  }
  if (p->key_starts) {
    a.key_batch.size = 1;
    a.key_rows.size = p->key_starts[p->batch];
  } else if (p->page_table) {
    a.key_batch.size = p->page_count;
    a.key_rows.size = p->page_rows;
  }
  return a;
}

/* Inputs, saved results and gradients together. */
#define MAX_REGIONS 18

static attn_status add_view(region *regions, int *count, const char *name, const attn_input *view, axis batch,
                            int64_t heads, axis rows, int64_t dim, int64_t element_bytes) {
  axis axes[] = {{batch.size, batch.size > 1 ? view->stride_batch : 0},
                 {heads, view->stride_head},
                 {rows.size, view->stride_row},
                 {dim, 1}};
  return add_region(regions, count, name, view->data, axes, 4, element_bytes);
}

static attn_status add_inputs(const attn_problem *p, bool values, region *regions, int *count) {
  problem_axes a = axes_of(p);
  int64_t bytes = attn_type_bytes(p->type);
  attn_status status = add_view(regions, count, "query.data", &p->query, a.query_batch, p->query_heads, a.query_rows,
                                p->head_dim, bytes);
  if (status == ATTN_OK)
    status = add_view(regions, count, "key.data", &p->key, a.key_batch, p->kv_heads, a.key_rows, p->head_dim, bytes);
  if (status == ATTN_OK && values)
    status =
        add_view(regions, count, "value.data", &p->value, a.key_batch, p->kv_heads, a.key_rows, p->value_dim, bytes);
  if (status == ATTN_OK && p->mask.data) {
    const attn_mask *m = &p->mask;
    axis pairs[] = {{p->batch, m->stride_batch},
                    {p->query_heads, m->stride_head},
                    {p->query_length, m->stride_row},
                    {p->key_length, m->stride_key}};
    status = add_region(regions, count, "mask.data", m->data, pairs, 4, 1);
  }
  if (status == ATTN_OK && p->bias.data) {
    const attn_bias *b = &p->bias;
    axis pairs[] = {{p->batch, b->stride_batch},
                    {p->query_heads, b->stride_head},
                    {p->query_length, b->stride_row},
                    {p->key_length, b->stride_key}};
    status = add_region(regions, count, "bias.data", b->data, pairs, 4, attn_type_bytes(b->type));
  }
  const struct {
    const char *name;
    const void *data;
    axis heads, dim;
  } numbers[] = {{"additive",
                  p->additive,
                  {p->additive_stride_head ? p->query_heads : 1, p->additive_stride_head},
                  {p->head_dim, 1}},
                 {"alibi_slopes", p->alibi_slopes, {p->query_heads, 1}, {1, 0}},
                 {"sinks", p->sinks, {p->query_heads, 1}, {1, 0}}};
  for (int i = 0; i < 3 && status == ATTN_OK; i++) {
    axis axes[] = {numbers[i].heads, numbers[i].dim};
    if (numbers[i].data)
      status = add_region(regions, count, numbers[i].name, numbers[i].data, axes, 2, attn_real_bytes(p));
  }
  return status;
}

/* Appends a view that is written, which must meet nothing before it. */
static attn_status add_output(region *regions, int *count, const char *name, const void *data, const axis *axes,
                              int64_t element_bytes) {
  int before = *count;
  attn_status status = add_region(regions, count, name, data, axes, 4, element_bytes);
  if (status != ATTN_OK || *count == before) return status;
  CHECK(distinct(axes, 4), ATTN_ERROR_OVERLAP, "the strides of %s make its elements overlap", name);
  for (int other = 0; other < before; other++)
    CHECK(regions[before].high <= regions[other].low || regions[other].high <= regions[before].low, ATTN_ERROR_OVERLAP,
          "%s overlaps %s", name, regions[other].name);
  return ATTN_OK;
}

attn_status attn_check_data(const attn_problem *p, const attn_output *output, const attn_output *lse) {
  CHECK(output, ATTN_ERROR_NULL_POINTER, "output is null");
  /* No query, no result: nothing will be read or written. */
  if (p->batch == 0 || p->query_length == 0) return ATTN_OK;
  region regions[MAX_REGIONS];
  int count = 0;
  attn_status status = add_inputs(p, true, regions, &count);
  problem_axes a = axes_of(p);
  const struct {
    const char *name;
    const attn_output *view;
    int64_t dim, bytes;
  } outputs[] = {{"output", output, p->value_dim, attn_type_bytes(p->type)}, {"lse", lse, 1, attn_real_bytes(p)}};
  for (int i = 0; i < 2 && status == ATTN_OK; i++) {
    const attn_output *v = outputs[i].view;
    if (!v) continue;
    axis axes[] = {{a.query_batch.size, a.query_batch.size > 1 ? v->stride_batch : 0},
                   {p->query_heads, v->stride_head},
                   {a.query_rows.size, v->stride_row},
                   {outputs[i].dim, 1}};
    status = add_output(regions, &count, outputs[i].name, v->data, axes, outputs[i].bytes);
  }
  return status;
}

attn_status attn_check_gradients(const attn_problem *p, const attn_input *output, const attn_input *lse,
                                 const attn_input *output_gradient, const attn_gradients *g) {
  CHECK(output && lse && output_gradient && g, ATTN_ERROR_NULL_POINTER, "%s is null",
        !output            ? "output"
        : !lse             ? "lse"
        : !output_gradient ? "output_gradient"
                           : "gradients");
  CHECK(!p->page_table, ATTN_ERROR_PAGES, "paged keys have no gradients");
  CHECK(!g->additive || p->additive, ATTN_ERROR_NULL_POINTER,
        "gradients.additive is wanted but the problem's scores are not additive");
  CHECK(!g->sinks || p->sinks, ATTN_ERROR_NULL_POINTER, "gradients.sinks is wanted but the problem has no sinks");
  region regions[MAX_REGIONS];
  int count = 0;
  problem_axes a = axes_of(p);
  int64_t bytes = attn_type_bytes(p->type), real_bytes = attn_real_bytes(p);
  bool queries = p->batch > 0 && p->query_length > 0;
  attn_status status = queries ? add_inputs(p, true, regions, &count) : ATTN_OK;
  if (status == ATTN_OK)
    status =
        add_view(regions, &count, "output", output, a.query_batch, p->query_heads, a.query_rows, p->value_dim, bytes);
  if (status == ATTN_OK)
    status = add_view(regions, &count, "lse", lse, a.query_batch, p->query_heads, a.query_rows, 1, real_bytes);
  if (status == ATTN_OK)
    status = add_view(regions, &count, "output_gradient", output_gradient, a.query_batch, p->query_heads, a.query_rows,
                      p->value_dim, bytes);
  const struct {
    const char *name;
    const attn_output *view;
    axis batch, rows;
    int64_t heads, dim;
  } outputs[] = {{"gradients.query", &g->query, a.query_batch, a.query_rows, p->query_heads, p->head_dim},
                 {"gradients.key", &g->key, a.key_batch, a.key_rows, p->kv_heads, p->head_dim},
                 {"gradients.value", &g->value, a.key_batch, a.key_rows, p->kv_heads, p->value_dim}};
  for (int i = 0; i < 3 && status == ATTN_OK; i++) {
    const attn_output *v = outputs[i].view;
    if (!v->data) continue;
    axis axes[] = {{outputs[i].batch.size, outputs[i].batch.size > 1 ? v->stride_batch : 0},
                   {outputs[i].heads, v->stride_head},
                   {outputs[i].rows.size, v->stride_row},
                   {outputs[i].dim, 1}};
    status = add_output(regions, &count, outputs[i].name, v->data, axes, bytes);
  }
  if (status == ATTN_OK && g->bias.data) {
    /* A stride of 0 sums over its axis, so that axis counts as one. */
    axis axes[] = {{g->bias.stride_batch ? p->batch : 1, g->bias.stride_batch},
                   {g->bias.stride_head ? p->query_heads : 1, g->bias.stride_head},
                   {g->bias.stride_row ? p->query_length : 1, g->bias.stride_row},
                   {g->bias.stride_key ? p->key_length : 1, g->bias.stride_key}};
    status = add_output(regions, &count, "gradients.bias", g->bias.data, axes, real_bytes);
  }
  if (status == ATTN_OK && g->additive) {
    axis axes[] = {
        {1, 0}, {1, 0}, {p->additive_stride_head ? p->query_heads : 1, p->additive_stride_head}, {p->head_dim, 1}};
    status = add_output(regions, &count, "gradients.additive", g->additive, axes, real_bytes);
  }
  if (status == ATTN_OK && g->sinks) {
    axis axes[] = {{1, 0}, {1, 0}, {1, 0}, {p->query_heads, 1}};
    status = add_output(regions, &count, "gradients.sinks", g->sinks, axes, real_bytes);
  }
  return status;
}

static attn_status check_chosen(const char *name, const int64_t *chosen, int64_t count, int64_t limit) {
  if (!chosen) return ATTN_OK;
  CHECK(count >= 0, ATTN_ERROR_SELECTION, "%lld %s are chosen", (long long)count, name);
  for (int64_t i = 0; i < count; i++)
    CHECK(chosen[i] >= 0 && chosen[i] < limit, ATTN_ERROR_SELECTION, "%s[%lld] is %lld; there are %lld", name,
          (long long)i, (long long)chosen[i], (long long)limit);
  return ATTN_OK;
}

attn_status attn_check_weights(const attn_problem *p, const void *lse, const attn_weights_request *r) {
  CHECK(r, ATTN_ERROR_NULL_POINTER, "request is null");
  attn_status status = check_chosen("heads", r->heads, r->head_count, p->query_heads);
  if (status == ATTN_OK) status = check_chosen("rows", r->rows, r->row_count, p->query_length);
  if (status != ATTN_OK) return status;
  int64_t chosen = r->heads ? r->head_count : p->query_heads, heads = r->averaged ? 1 : chosen;
  int64_t rows = r->rows ? r->row_count : p->query_length;
  CHECK(!r->averaged || chosen > 0, ATTN_ERROR_SELECTION, "a mean over no head is asked for");
  CHECK(!r->averaged || !r->scores, ATTN_ERROR_SELECTION, "scores have no mean over heads");
  bool top = r->top_keys != NULL || r->top_weights != NULL;
  CHECK(!top || r->top >= 0, ATTN_ERROR_SELECTION, "top is %lld; it must be at least 0", (long long)r->top);
  CHECK(!r->top_keys == !r->top_weights, ATTN_ERROR_NULL_POINTER, "%s is null: the two go together",
        r->top_keys ? "top_weights" : "top_keys");
  bool reads_lse = r->weights || top || r->column_sums;
  if (p->batch == 0 || heads == 0) return ATTN_OK;
  CHECK(!reads_lse || lse || p->query_length == 0 || p->key_length == 0, ATTN_ERROR_NULL_POINTER,
        "weights need lse, which is null");
  region regions[MAX_REGIONS];
  int count = 0;
  if (p->query_length > 0 && p->key_length > 0) {
    status = add_inputs(p, false, regions, &count);
    const axis all[] = {{p->batch * p->query_heads, p->query_length}, {p->query_length, 1}};
    if (status == ATTN_OK && reads_lse) status = add_region(regions, &count, "lse", lse, all, 2, attn_real_bytes(p));
  }
  const struct {
    const char *name;
    const void *data;
    int64_t rows, width, bytes;
  } outputs[] = {{"scores", r->scores, rows, p->key_length, attn_real_bytes(p)},
                 {"weights", r->weights, rows, p->key_length, attn_real_bytes(p)},
                 {"top_keys", r->top_keys, rows, r->top, 8},
                 {"top_weights", r->top_weights, rows, r->top, attn_real_bytes(p)},
                 {"column_sums", r->column_sums, 1, p->key_length, attn_real_bytes(p)}};
  for (int i = 0; i < 5 && status == ATTN_OK; i++) {
    if (!outputs[i].data) continue;
    int64_t matrix, batch;
    CHECK(!__builtin_mul_overflow(outputs[i].rows, outputs[i].width, &matrix) &&
              !__builtin_mul_overflow(matrix, heads, &batch),
          ATTN_ERROR_OVERFLOW, "%s of this shape overflows the address space", outputs[i].name);
    const axis axes[] = {
        {p->batch, batch}, {heads, matrix}, {outputs[i].rows, outputs[i].width}, {outputs[i].width, 1}};
    status = add_output(regions, &count, outputs[i].name, outputs[i].data, axes, outputs[i].bytes);
  }
  return status;
}

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
  region regions[3];
  int count = 0;
  axis a_axes[] = {{transpose_a ? k : m, lda}, {transpose_a ? m : k, 1}};
  axis b_axes[] = {{transpose_b ? n : k, ldb}, {transpose_b ? k : n, 1}};
  axis c_axes[] = {{1, 0}, {1, 0}, {m, ldc}, {n, 1}};
  attn_status status = add_region(regions, &count, "a", a, a_axes, 2, bytes);
  if (status == ATTN_OK) status = add_region(regions, &count, "b", b, b_axes, 2, bytes);
  if (status == ATTN_OK) status = add_output(regions, &count, "c", c, c_axes, bytes);
  return status;
}

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
static attn_status add_matrices(region *regions, int *count, const matrix *matrices, int matrix_count, bool written,
                                int64_t element_bytes) {
  attn_status status = ATTN_OK;
  for (int i = 0; i < matrix_count && status == ATTN_OK; i++) {
    const matrix *m = &matrices[i];
    if (!m->data && !m->required) continue;
    const axis axes[] = {{1, 0}, {1, 0}, {m->rows, m->row}, {m->width, 1}};
    status = written ? add_output(regions, count, m->name, m->data, axes, element_bytes)
                     : add_region(regions, count, m->name, m->data, axes, 4, element_bytes);
  }
  return status;
}

#define COUNT(array) ((int)(sizeof(array) / sizeof(array)[0]))

static attn_status add_layer(attn_cell cell, const attn_recurrence *l, region *regions, int *count) {
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
  region regions[MAX_REGIONS];
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
  region regions[MAX_REGIONS];
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
  region regions[6];
  int count = 0;
  axis hidden[] = {{1, 0}, {1, 0}, {p->rows, p->hidden}, {p->hidden, 1}};
  axis weight[] = {{1, 0}, {1, 0}, {p->classes, p->hidden}, {p->hidden, 1}};
  axis bias[] = {{1, 0}, {1, 0}, {1, 0}, {p->classes, 1}};
  if (p->rows > 0) {
    status = add_region(regions, &count, "hidden_rows", p->hidden_rows, hidden + 2, 2, bytes);
    if (status == ATTN_OK) status = add_region(regions, &count, "weight", p->weight, weight + 2, 2, bytes);
    if (status == ATTN_OK && p->bias) status = add_region(regions, &count, "bias", p->bias, bias + 2, 2, bytes);
    if (status == ATTN_OK && p->hidden_gradient)
      status = add_output(regions, &count, "hidden_gradient", p->hidden_gradient, hidden, bytes);
  }
  if (status == ATTN_OK && p->weight_gradient)
    status = add_output(regions, &count, "weight_gradient", p->weight_gradient, weight, bytes);
  if (status == ATTN_OK && p->bias_gradient)
    status = add_output(regions, &count, "bias_gradient", p->bias_gradient, bias, bytes);
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
