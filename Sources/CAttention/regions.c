#include "regions.h"

#include <stdlib.h>

/* The bytes from the first to behind the last element of a view, as offsets from its data pointer. */
typedef struct extent {
  int64_t low, high;
} extent;

static bool extent_of(const attn_axis *axes, int count, int64_t element_bytes, extent *result) {
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
static bool distinct(const attn_axis *axes, int count) {
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

attn_status attn_add_region(attn_region *regions, int *count, const char *name, const void *data, const attn_axis *axes,
                            int axis_count, int64_t element_bytes) {
  for (int i = 0; i < axis_count; i++)
    if (axes[i].size == 0) return ATTN_OK;
  CHECK(data, ATTN_ERROR_NULL_POINTER, "%s is null", name);
  extent e = {0, 0};
  CHECK(extent_of(axes, axis_count, element_bytes, &e), ATTN_ERROR_OVERFLOW,
        "the strides and sizes of %s overflow the address space", name);
  uintptr_t base = (uintptr_t)data, low = base + (uintptr_t)e.low, high = base + (uintptr_t)e.high;
  CHECK(low <= base && high >= base, ATTN_ERROR_OVERFLOW, "%s reaches beyond the address space", name);
  regions[(*count)++] = (attn_region){name, low, high};
  return ATTN_OK;
}

attn_status attn_add_output(attn_region *regions, int *count, const char *name, const void *data, const attn_axis *axes,
                            int64_t element_bytes) {
  int before = *count;
  attn_status status = attn_add_region(regions, count, name, data, axes, 4, element_bytes);
  if (status != ATTN_OK || *count == before) return status;
  CHECK(distinct(axes, 4), ATTN_ERROR_OVERLAP, "the strides of %s make its elements overlap", name);
  for (int other = 0; other < before; other++)
    CHECK(regions[before].high <= regions[other].low || regions[other].high <= regions[before].low, ATTN_ERROR_OVERLAP,
          "%s overlaps %s", name, regions[other].name);
  return ATTN_OK;
}
