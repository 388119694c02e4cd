#include "scratch.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#if defined(__GLIBC__)
#include <malloc.h>
#endif

#include "attention.h"

/* One slot a concurrent call; calls beyond that allocate and free. */
#define SLOTS 32
static _Atomic(attn_arena *) slots[SLOTS];

static attn_arena *allocate(size_t bytes) {
  if (bytes > SIZE_MAX - 2 * ATTN_SCRATCH_ALIGNMENT - sizeof(attn_arena)) return NULL;
  attn_arena *arena = malloc(sizeof(attn_arena) + bytes + ATTN_SCRATCH_ALIGNMENT);
  if (!arena) return NULL;
  uintptr_t start = (uintptr_t)(arena + 1);
  arena->bytes = bytes;
  arena->data = (void *)((start + ATTN_SCRATCH_ALIGNMENT - 1) & ~(uintptr_t)(ATTN_SCRATCH_ALIGNMENT - 1));
  return arena;
}

attn_arena *attn_arena_take(size_t bytes) {
  for (int i = 0; i < SLOTS; i++) {
    attn_arena *arena = atomic_exchange(&slots[i], NULL);
    if (!arena) continue;
    if (arena->bytes >= bytes) return arena;
    free(arena);
    break;
  }
  return allocate(bytes);
}

void attn_arena_give(attn_arena *arena) {
  for (int i = 0; i < SLOTS; i++) {
    attn_arena *empty = NULL;
    if (atomic_compare_exchange_strong(&slots[i], &empty, arena)) return;
  }
  free(arena);
}

void attn_release_memory(void) {
  for (int i = 0; i < SLOTS; i++) free(atomic_exchange(&slots[i], NULL));
}

void attn_keep_freed_memory(void) {
#if defined(__GLIBC__)
  mallopt(M_MMAP_THRESHOLD, 32 << 20); /* the most that it takes */
  mallopt(M_TRIM_THRESHOLD, INT32_MAX);
#endif
}
