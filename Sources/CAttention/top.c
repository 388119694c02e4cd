#include "top.h"

#include <math.h>
#include <stdbool.h>

#include "view.h"

typedef struct element {
  int64_t key;
  double weight;
} element;

static bool better(element a, element b) {
  if (isnan(a.weight) != isnan(b.weight)) return isnan(a.weight);
  if (a.weight != b.weight && !isnan(a.weight)) return a.weight > b.weight;
  return a.key < b.key;
}

static element get(const attn_top *t, int64_t i) {
  return (element){t->keys[i], attn_get_real(t->weights, t->bytes, i)};
}

static void put(attn_top *t, int64_t i, element e) {
  t->keys[i] = e.key;
  attn_set_real(t->weights, t->bytes, i, e.weight);
}

/* Lets e sink from place i to where no child of its within the first n is worse. */
static void sink(attn_top *t, int64_t i, int64_t n, element e) {
  for (;;) {
    int64_t child = 2 * i + 1;
    if (child >= n) break;
    if (child + 1 < n && better(get(t, child), get(t, child + 1))) child++;
    if (!better(e, get(t, child))) break;
    put(t, i, get(t, child));
    i = child;
  }
  put(t, i, e);
}

void attn_top_add(attn_top *t, int64_t key, double weight) {
  element e = {key, weight};
  if (t->count == t->k) {
    if (t->k > 0 && better(e, get(t, 0))) sink(t, 0, t->k, e);
    return;
  }
  int64_t i = t->count++;
  for (; i > 0 && better(get(t, (i - 1) / 2), e); i = (i - 1) / 2) put(t, i, get(t, (i - 1) / 2));
  put(t, i, e);
}

void attn_top_finish(attn_top *t) {
  for (int64_t n = t->count - 1; n > 0; n--) {
    element worst = get(t, 0), last = get(t, n);
    sink(t, 0, n, last);
    put(t, n, worst);
  }
  for (int64_t i = t->count; i < t->k; i++) put(t, i, (element){-1, 0});
}
