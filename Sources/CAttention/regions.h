/*
 * The memory that a call's arrays reach, as regions: whether each fits the address space, and whether what is written
 * meets anything else.
 */
#ifndef ATTENTION_REGIONS_H
#define ATTENTION_REGIONS_H

#include "attention.h"
#include "status.h"

/* Leaves the function with an error, and its message, unless the condition holds. */
#define CHECK(condition, status, ...)                        \
  do {                                                       \
    if (!(condition)) return attn_fail(status, __VA_ARGS__); \
  } while (0)

/* One axis of a view, its stride in elements. */
typedef struct attn_axis {
  int64_t size, stride;
} attn_axis;

typedef struct attn_region {
  const char *name;
  uintptr_t low, high;
} attn_region;

/* Appends the memory of a view to regions; nothing when it has no elements. */
attn_status attn_add_region(attn_region *regions, int *count, const char *name, const void *data, const attn_axis *axes,
                            int axis_count, int64_t element_bytes);

/* Appends a view of four axes that is written, which must meet nothing before it. */
attn_status attn_add_output(attn_region *regions, int *count, const char *name, const void *data, const attn_axis *axes,
                            int64_t element_bytes);

#endif
