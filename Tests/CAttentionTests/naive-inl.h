/* The computation, in REAL with the functions F(exp), F(log), F(tanh). */

/* One query; s and visible have room for its keys. */
static void ROW(const naive_problem *p, int64_t b, int64_t h, int64_t i, REAL *s, bool *visible,
                const naive_result *result) {
  int64_t g = h / (p->heads / p->kv_heads), at = (b * p->heads + h) * p->queries + i;
  const double *q = p->query + at * p->dim;
  bool attends = false;
  REAL top = (REAL)-INFINITY;
  for (int64_t j = 0; j < p->keys; j++) {
    s[j] = (REAL)-INFINITY;
    visible[j] = naive_visible(p, b, h, i, j);
    if (!visible[j]) continue;
    attends = true;
    const double *k = p->key + ((b * p->kv_heads + g) * p->keys + j) * p->dim;
    REAL dot = 0;
    for (int64_t d = 0; d < p->dim; d++) dot += (REAL)q[d] * (REAL)k[d];
    s[j] = dot * (REAL)p->scale;
    if (p->softcap != 0) s[j] = (REAL)p->softcap * F(tanh)(s[j] / (REAL)p->softcap);
    if (p->bias) s[j] += (REAL)naive_bias(p, b, h, i, j);
    if (p->slopes) s[j] += (REAL)naive_alibi(p, b, h, i, j);
    if (s[j] > top) top = s[j];
  }
  for (int64_t j = 0; result->scores && j < p->keys; j++) result->scores[at * p->keys + j] = s[j];

  if (p->sinks && (REAL)p->sinks[h] > top) top = (REAL)p->sinks[h];
  REAL sum = p->sinks ? F(exp)((REAL)p->sinks[h] - top) : 0;
  for (int64_t j = 0; j < p->keys; j++)
    if (visible[j]) sum += F(exp)(s[j] - top);
  if (result->lse) result->lse[at] = attends ? (long double)(top + F(log)(sum)) : (long double)-INFINITY;
  for (int64_t j = 0; j < p->keys; j++) {
    s[j] = visible[j] ? F(exp)(s[j] - top) / sum : 0;
    if (result->weights) result->weights[at * p->keys + j] = s[j];
    if (visible[j] && p->dropout_probability != 0)
      s[j] = naive_kept(p, b, h, i, j) ? s[j] / (1 - (REAL)p->dropout_probability) : 0;
  }
  for (int64_t d = 0; result->output && d < p->value_dim; d++) {
    REAL o = 0;
    for (int64_t j = 0; j < p->keys; j++)
      if (visible[j]) o += s[j] * (REAL)p->value[((b * p->kv_heads + g) * p->keys + j) * p->value_dim + d];
    result->output[at * p->value_dim + d] = o;
  }
}

void NAIVE(const naive_problem *p, const naive_result *result) {
  REAL *s = malloc((size_t)(p->keys + 1) * sizeof *s);
  bool *visible = malloc((size_t)(p->keys + 1) * sizeof *visible);
  for (int64_t b = 0; b < p->batch; b++)
    for (int64_t h = 0; h < p->heads; h++)
      for (int64_t i = 0; i < p->queries; i++) ROW(p, b, h, i, s, visible, result);
  free(s);
  free(visible);
}

#undef REAL
#undef NAIVE
#undef ROW
#undef F
