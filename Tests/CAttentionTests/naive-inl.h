/* The computation, in REAL with the functions F(exp), F(log), F(tanh). */

static REAL PRODUCT(const naive_problem *p, int64_t h, const double *q, const double *k) {
  const double *w = p->additive ? p->additive + h * p->additive_stride : NULL;
  REAL sum = 0;
  for (int64_t d = 0; d < p->dim; d++)
    sum += w ? (REAL)w[d] * F(tanh)((REAL)q[d] + (REAL)k[d]) : (REAL)q[d] * (REAL)k[d];
  return sum;
}

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
    s[j] = PRODUCT(p, h, q, k) * (REAL)p->scale;
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

/* One query's weights after dropout and gradients of its scores through the cap; its part of the bias' and the sink's
 * gradient. */
static void ROW_GRADIENTS(const naive_problem *p, const double *output, const double *output_gradient,
                          const naive_result *forward, int64_t b, int64_t h, int64_t i, REAL *kept, REAL *slopes,
                          const naive_gradients *result) {
  int64_t g = h / (p->heads / p->kv_heads), at = (b * p->heads + h) * p->queries + i;
  const double *o_gradient = output_gradient + at * p->value_dim, *q = p->query + at * p->dim;
  if (forward->lse[at] == -INFINITY) return;
  REAL delta = 0;
  for (int64_t d = 0; d < p->value_dim; d++)
    delta += (REAL)o_gradient[d] *
             (output ? (REAL)output[at * p->value_dim + d] : (REAL)forward->output[at * p->value_dim + d]);
  if (p->sinks) result->sinks[h] = (REAL)result->sinks[h] - F(exp)((REAL)p->sinks[h] - (REAL)forward->lse[at]) * delta;
  for (int64_t j = 0; j < p->keys; j++) {
    if (!naive_visible(p, b, h, i, j)) continue;
    const double *k = p->key + ((b * p->kv_heads + g) * p->keys + j) * p->dim;
    const double *v = p->value + ((b * p->kv_heads + g) * p->keys + j) * p->value_dim;
    REAL w = (REAL)forward->weights[at * p->keys + j], dropped = 0, along = 0, slope = 1;
    if (naive_kept(p, b, h, i, j)) dropped = 1 / (1 - (REAL)p->dropout_probability);
    for (int64_t d = 0; d < p->value_dim; d++) along += (REAL)o_gradient[d] * (REAL)v[d];
    if (p->softcap != 0) {
      REAL t = F(tanh)(PRODUCT(p, h, q, k) * (REAL)p->scale / (REAL)p->softcap);
      slope = 1 - t * t;
    }
    REAL gradient = w * (dropped * along - delta);
    const int64_t *s = result->bias_strides;
    long double *bias = &result->bias[b * s[0] + h * s[1] + i * s[2] + j * s[3]];
    *bias = (REAL)*bias + gradient;
    kept[j] = dropped * w;
    slopes[j] = gradient * slope;
  }
}

static void ADD_SCALED(REAL *sum, REAL coefficient, const double *vector, int64_t n) {
  for (int64_t d = 0; d < n; d++) sum[d] += coefficient * (REAL)vector[d];
}

/* To sum the gradient of a query, which is also that of the key; to weights, where given, that of w. */
static void ADD_ADDITIVE(const naive_problem *p, int64_t h, const double *q, const double *k, REAL coefficient,
                         REAL *sum, long double *weights) {
  const double *w = p->additive + h * p->additive_stride;
  for (int64_t d = 0; d < p->dim; d++) {
    REAL t = F(tanh)((REAL)q[d] + (REAL)k[d]);
    sum[d] += coefficient * (REAL)w[d] * (1 - t * t);
    if (weights) weights[d] = (REAL)weights[d] + coefficient * (REAL)p->scale * t;
  }
}

static void STORE(long double *to, REAL *sum, int64_t n, REAL factor) {
  for (int64_t d = 0; d < n; d++) {
    to[d] = factor * sum[d];
    sum[d] = 0;
  }
}

void NAIVE_GRADIENTS(const naive_problem *p, const double *output, const double *output_gradient,
                     const naive_gradients *result) {
  int64_t rows = p->batch * p->heads * p->queries, pairs = rows * p->keys, group = p->heads / p->kv_heads;
  naive_result forward = {.output = calloc((size_t)(rows * p->value_dim + 1), sizeof(long double)),
                          .lse = calloc((size_t)rows + 1, sizeof(long double)),
                          .weights = calloc((size_t)pairs + 1, sizeof(long double))};
  REAL *kept = calloc((size_t)pairs + 1, sizeof *kept), *slopes = calloc((size_t)pairs + 1, sizeof *slopes);
  REAL *sum = calloc((size_t)p->dim, sizeof *sum), *value_sum = calloc((size_t)p->value_dim, sizeof *value_sum);
  NAIVE(p, &forward);
  for (int64_t at = 0; at < rows; at++)
    ROW_GRADIENTS(p, output, output_gradient, &forward, at / p->queries / p->heads, at / p->queries % p->heads,
                  at % p->queries, kept + at * p->keys, slopes + at * p->keys, result);
  for (int64_t at = 0; at < rows; at++) {
    int64_t stream = at / p->queries / group, h = at / p->queries % p->heads;
    for (int64_t j = 0; j < p->keys; j++) {
      const double *k = p->key + (stream * p->keys + j) * p->dim;
      if (slopes[at * p->keys + j] == 0) continue;
      if (p->additive)
        ADD_ADDITIVE(p, h, p->query + at * p->dim, k, slopes[at * p->keys + j], sum,
                     result->additive + h * p->additive_stride);
      else
        ADD_SCALED(sum, slopes[at * p->keys + j], k, p->dim);
    }
    STORE(result->query + at * p->dim, sum, p->dim, (REAL)p->scale);
  }
  for (int64_t at = 0; at < p->batch * p->kv_heads * p->keys; at++) {
    int64_t stream = at / p->keys, j = at % p->keys;
    for (int64_t row = stream * group * p->queries; row < (stream + 1) * group * p->queries; row++) {
      int64_t pair = row * p->keys + j;
      const double *q = p->query + row * p->dim;
      if (slopes[pair] != 0 && p->additive)
        ADD_ADDITIVE(p, row / p->queries % p->heads, q, p->key + at * p->dim, slopes[pair], sum, NULL);
      else if (slopes[pair] != 0)
        ADD_SCALED(sum, slopes[pair], q, p->dim);
      if (kept[pair] != 0) ADD_SCALED(value_sum, kept[pair], output_gradient + row * p->value_dim, p->value_dim);
    }
    STORE(result->key + at * p->dim, sum, p->dim, (REAL)p->scale);
    STORE(result->value + at * p->value_dim, value_sum, p->value_dim, 1);
  }
  free(forward.output), free(forward.lse), free(forward.weights);
  free(kept), free(slopes), free(sum), free(value_sum);
}

#undef REAL
#undef NAIVE
#undef NAIVE_GRADIENTS
#undef PRODUCT
#undef ROW
#undef ROW_GRADIENTS
#undef ADD_SCALED
#undef ADD_ADDITIVE
#undef STORE
#undef F
