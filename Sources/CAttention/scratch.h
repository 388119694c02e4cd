/* Scratch memory that is kept from call to call, so that calls in the steady state allocate nothing. */
#ifndef ATTENTION_SCRATCH_H
#define ATTENTION_SCRATCH_H

#include <stddef.h>

#define ATTN_SCRATCH_ALIGNMENT 64

typedef struct attn_arena {
  size_t bytes;
  void *data; /* aligned to ATTN_SCRATCH_ALIGNMENT, contents undefined */
} attn_arena;

/* An arena of at least `bytes`, or null when memory is out. It belongs to the caller until given back. */
attn_arena *attn_arena_take(size_t bytes);
void attn_arena_give(attn_arena *arena);

#endif
