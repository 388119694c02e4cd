/* For tests of the tile functions: every table with every storage type it reads, and buffers between guard bands. */
#ifndef KERNEL_TABLES_H
#define KERNEL_TABLES_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "dispatch.h"
#include "expect.h"
#include "number.h"
#include "random.h"

typedef struct table_case {
  const attn_kernels *k;
  attn_type real, type; /* computed in, stored as */
  double u;             /* unit roundoff of real */
  random_source *r;
} table_case;

static inline void for_each_table(void (*test)(const table_case *), random_source *r) {
  for (int i = 0; i < attn_isa_count(); i++)
    for (int type = ATTN_F32; type <= ATTN_BF16 && attn_isa_available(i); type++) {
      attn_type real = number_compute_type((attn_type)type);
      table_case c = {attn_kernels_for(real, attn_isa_name(i)), real, (attn_type)type, number_unit(real), r};
      expect_context("%s", attn_isa_name(i));
      if (EXPECT(c.k != NULL) && EXPECT_INT(c.k->real_bytes, number_bytes(real))) test(&c);
    }
}

#define CONTEXT(c, ...)                                                                   \
  do {                                                                                    \
    char text_[128];                                                                      \
    snprintf(text_, sizeof text_, __VA_ARGS__);                                           \
    expect_context("%s storage %s %s", (c)->k->name, number_type_name((c)->type), text_); \
  } while (0)

/* `count` numbers aligned like the library's scratch, 64 pattern bytes before and behind them. */
typedef struct guarded {
  uint8_t *memory, *data;
  int64_t bytes;
} guarded;

static inline guarded guarded_new(attn_type type, int64_t count) {
  guarded g = {.bytes = count * number_bytes(type)};
  size_t total = (size_t)(64 + g.bytes + 64);
  g.memory = aligned_alloc(64, (total + 63) / 64 * 64);
  memset(g.memory, 0xA5, total);
  g.data = g.memory + 64;
  return g;
}

static inline void guarded_free(guarded *g) {
  bool intact = true;
  for (int i = 0; i < 64; i++) intact = intact && g->memory[i] == 0xA5 && g->data[g->bytes + i] == 0xA5;
  EXPECT(intact);
  free(g->memory);
}

/* An array that ends where its memory does, of random numbers in [low, high) that the type can hold. */
static inline void *random_array(random_source *r, attn_type type, int64_t count, double low, double high) {
  void *array = malloc((size_t)(count > 0 ? count * number_bytes(type) : 1));
  for (int64_t i = 0; i < count; i++) number_set(type, array, i, random_double(r, low, high));
  return array;
}

static inline void randomize(random_source *r, attn_type type, void *array, int64_t count, double low, double high) {
  for (int64_t i = 0; i < count; i++) number_set(type, array, i, random_double(r, low, high));
}

/* Rows before a page that can't be read: what reads beyond them ends the program, loads under a mask too, which
 * sanitizers do not see. */
static inline size_t row_pages(const table_case *c, int64_t dim) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE), bytes = (size_t)(dim * number_bytes(c->type));
  return (bytes + page - 1) / page * page;
}

static inline void free_rows(const table_case *c, const void **rows, int64_t count, int64_t dim) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE), pages = row_pages(c, dim);
  for (int64_t i = 0; i < count; i++)
    munmap((char *)(uintptr_t)rows[i] + dim * number_bytes(c->type) - pages, pages + page);
  free(rows);
}

static inline const void **random_rows(const table_case *c, int64_t count, int64_t dim) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE), pages = row_pages(c, dim);
  const void **rows = malloc((size_t)(count + 1) * sizeof *rows);
  for (int64_t i = 0; i < count; i++) {
    char *memory = mmap(NULL, pages + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED || mprotect(memory + pages, page, PROT_NONE) != 0) abort();
    rows[i] = memory + pages - dim * number_bytes(c->type);
    randomize(c->r, c->type, (void *)(uintptr_t)rows[i], dim, -2, 2);
  }
  return rows;
}

/* Whether element i still holds the pattern of guarded_new. */
static inline bool still_blank(attn_type type, const void *array, int64_t i) {
  const uint8_t *at = (const uint8_t *)array + i * number_bytes(type);
  for (int64_t byte = 0; byte < number_bytes(type); byte++)
    if (at[byte] != 0xA5) return false;
  return true;
}

#endif
