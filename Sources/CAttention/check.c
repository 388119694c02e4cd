#include "check.h"

#include <math.h>

#include "regions.h"
#include "view.h"

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

/* What the sizes of a problem come to as axes: packed and paged views have rows where padded ones have batches. */
typedef struct problem_axes {
  attn_axis query_batch, query_rows, key_batch, key_rows;
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

static attn_status add_view(attn_region *regions, int *count, const char *name, const attn_input *view, attn_axis batch,
                            int64_t heads, attn_axis rows, int64_t dim, int64_t element_bytes) {
  attn_axis axes[] = {{batch.size, batch.size > 1 ? view->stride_batch : 0},
                      {heads, view->stride_head},
                      {rows.size, view->stride_row},
                      {dim, 1}};
  return attn_add_region(regions, count, name, view->data, axes, 4, element_bytes);
}

static attn_status add_inputs(const attn_problem *p, bool values, attn_region *regions, int *count) {
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
    attn_axis pairs[] = {{p->batch, m->stride_batch},
                         {p->query_heads, m->stride_head},
                         {p->query_length, m->stride_row},
                         {p->key_length, m->stride_key}};
    status = attn_add_region(regions, count, "mask.data", m->data, pairs, 4, 1);
  }
  if (status == ATTN_OK && p->bias.data) {
    const attn_bias *b = &p->bias;
    attn_axis pairs[] = {{p->batch, b->stride_batch},
                         {p->query_heads, b->stride_head},
                         {p->query_length, b->stride_row},
                         {p->key_length, b->stride_key}};
    status = attn_add_region(regions, count, "bias.data", b->data, pairs, 4, attn_type_bytes(b->type));
  }
  const struct {
    const char *name;
    const void *data;
    attn_axis heads, dim;
  } numbers[] = {{"additive",
                  p->additive,
                  {p->additive_stride_head ? p->query_heads : 1, p->additive_stride_head},
                  {p->head_dim, 1}},
                 {"alibi_slopes", p->alibi_slopes, {p->query_heads, 1}, {1, 0}},
                 {"sinks", p->sinks, {p->query_heads, 1}, {1, 0}}};
  for (int i = 0; i < 3 && status == ATTN_OK; i++) {
    attn_axis axes[] = {numbers[i].heads, numbers[i].dim};
    if (numbers[i].data)
      status = attn_add_region(regions, count, numbers[i].name, numbers[i].data, axes, 2, attn_real_bytes(p));
  }
  return status;
}

attn_status attn_check_data(const attn_problem *p, const attn_output *output, const attn_output *lse) {
  CHECK(output, ATTN_ERROR_NULL_POINTER, "output is null");
  /* No query, no result: nothing will be read or written. */
  if (p->batch == 0 || p->query_length == 0) return ATTN_OK;
  attn_region regions[MAX_REGIONS];
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
    attn_axis axes[] = {{a.query_batch.size, a.query_batch.size > 1 ? v->stride_batch : 0},
                        {p->query_heads, v->stride_head},
                        {a.query_rows.size, v->stride_row},
                        {outputs[i].dim, 1}};
    status = attn_add_output(regions, &count, outputs[i].name, v->data, axes, outputs[i].bytes);
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
  attn_region regions[MAX_REGIONS];
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
    attn_axis batch, rows;
    int64_t heads, dim;
  } outputs[] = {{"gradients.query", &g->query, a.query_batch, a.query_rows, p->query_heads, p->head_dim},
                 {"gradients.key", &g->key, a.key_batch, a.key_rows, p->kv_heads, p->head_dim},
                 {"gradients.value", &g->value, a.key_batch, a.key_rows, p->kv_heads, p->value_dim}};
  for (int i = 0; i < 3 && status == ATTN_OK; i++) {
    const attn_output *v = outputs[i].view;
    if (!v->data) continue;
    attn_axis axes[] = {{outputs[i].batch.size, outputs[i].batch.size > 1 ? v->stride_batch : 0},
                        {outputs[i].heads, v->stride_head},
                        {outputs[i].rows.size, v->stride_row},
                        {outputs[i].dim, 1}};
    status = attn_add_output(regions, &count, outputs[i].name, v->data, axes, bytes);
  }
  if (status == ATTN_OK && g->bias.data) {
    /* A stride of 0 sums over its axis, so that attn_axis counts as one. */
    attn_axis axes[] = {{g->bias.stride_batch ? p->batch : 1, g->bias.stride_batch},
                        {g->bias.stride_head ? p->query_heads : 1, g->bias.stride_head},
                        {g->bias.stride_row ? p->query_length : 1, g->bias.stride_row},
                        {g->bias.stride_key ? p->key_length : 1, g->bias.stride_key}};
    status = attn_add_output(regions, &count, "gradients.bias", g->bias.data, axes, real_bytes);
  }
  if (status == ATTN_OK && g->additive) {
    attn_axis axes[] = {
        {1, 0}, {1, 0}, {p->additive_stride_head ? p->query_heads : 1, p->additive_stride_head}, {p->head_dim, 1}};
    status = attn_add_output(regions, &count, "gradients.additive", g->additive, axes, real_bytes);
  }
  if (status == ATTN_OK && g->sinks) {
    attn_axis axes[] = {{1, 0}, {1, 0}, {1, 0}, {p->query_heads, 1}};
    status = attn_add_output(regions, &count, "gradients.sinks", g->sinks, axes, real_bytes);
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
  attn_region regions[MAX_REGIONS];
  int count = 0;
  if (p->query_length > 0 && p->key_length > 0) {
    status = add_inputs(p, false, regions, &count);
    const attn_axis all[] = {{p->batch * p->query_heads, p->query_length}, {p->query_length, 1}};
    if (status == ATTN_OK && reads_lse)
      status = attn_add_region(regions, &count, "lse", lse, all, 2, attn_real_bytes(p));
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
    const attn_axis axes[] = {
        {p->batch, batch}, {heads, matrix}, {outputs[i].rows, outputs[i].width}, {outputs[i].width, 1}};
    status = attn_add_output(regions, &count, outputs[i].name, outputs[i].data, axes, outputs[i].bytes);
  }
  return status;
}
