/*
 * The gates of a recurrent step; the formulas are in attention.h.
 *
 * sigmoid(x) = 1 / (1 + e) for x >= 0 and e / (1 + e) below, with e = e^-|x|: nothing cancels. The exponential is
 * within (3 + 2 |x|) u of itself, where 2 |x| comes from rounding its argument, so the result is within
 * (5 + 2 max(0, -x)) u: where x is positive the error of e counts for e / (1 + e) of itself only. Results below the
 * smallest normal number are 0.
 */
ATTN_INLINE vf vf_sigmoid(vf x) {
  vf one = vf_set1(1), e = vf_exp2(vf_mul(vf_abs(x), vf_set1((real)-1.4426950408889634074)));
  return vf_div(vf_select(vf_less(x, vf_set1(0)), e, one), vf_add(one, e));
}

/* s (1 - s) of a sigmoid and 1 - t^2 of a tanh: their derivatives. */
ATTN_INLINE vf sigmoid_slope(vf s) { return vf_mul(s, vf_sub(vf_set1(1), s)); }
ATTN_INLINE vf tanh_slope(vf t) { return vf_sub(vf_set1(1), vf_mul(t, t)); }

/* A vector of which the first n lanes exist. */
ATTN_INLINE vf load_first(const real *p, int64_t n) {
  return n >= VF_LANES ? vf_load(p) : load_partial(p, REAL_TYPE, 0, n);
}

ATTN_INLINE void store_first(real *p, vf v, int64_t n) {
  if (n >= VF_LANES) {
    vf_store(p, v);
    return;
  }
  real lanes[VF_LANES];
  vf_store(lanes, v);
  for (int64_t i = 0; i < n; i++) p[i] = lanes[i];
}

ATTN_INLINE const real *input_at(attn_gate_input v, int64_t row, int64_t gate) {
  return (const real *)v.data + row * v.row + gate * v.gate;
}

ATTN_INLINE real *output_at(attn_gate_output v, int64_t row, int64_t gate) {
  return (real *)v.data + row * v.row + gate * v.gate;
}

static void lstm_gates(const attn_gates_block *b) {
  for (int64_t r = 0; r < b->rows; r++)
    for (int64_t u = 0; u < b->units; u += VF_LANES) {
      int64_t n = b->units - u;
      vf a[4];
      for (int g = 0; g < 4; g++)
        a[g] = vf_add(vf_add(load_first(output_at(b->gates, r, g) + u, n), vf_load(input_at(b->bias, 0, g) + u)),
                      vf_load(input_at(b->recurrent, r, g) + u));
      vf i = vf_sigmoid(a[0]), f = vf_sigmoid(a[1]), g = vf_tanh(a[2]), o = vf_sigmoid(a[3]);
      real *state = output_at(b->state, r, 0) + u;
      vf c = vf_fma(f, vf_load(state), vf_mul(i, g));
      vf_store(state, c);
      store_first(output_at(b->gates, r, 0) + u, i, n);
      store_first(output_at(b->gates, r, 1) + u, f, n);
      store_first(output_at(b->gates, r, 2) + u, g, n);
      store_first(output_at(b->gates, r, 3) + u, o, n);
      store_first(output_at(b->cell, r, 0) + u, c, n);
      store_first(output_at(b->hidden, r, 0) + u, vf_mul(o, vf_tanh(c)), n);
    }
}

static void gru_gates(const attn_gates_block *b) {
  for (int64_t r = 0; r < b->rows; r++)
    for (int64_t u = 0; u < b->units; u += VF_LANES) {
      int64_t n = b->units - u;
      vf a[3], q = vf_load(input_at(b->recurrent, r, 2) + u);
      for (int g = 0; g < 3; g++)
        a[g] = vf_add(load_first(output_at(b->gates, r, g) + u, n), vf_load(input_at(b->bias, 0, g) + u));
      vf reset = vf_sigmoid(vf_add(a[0], vf_load(input_at(b->recurrent, r, 0) + u)));
      vf update = vf_sigmoid(vf_add(a[1], vf_load(input_at(b->recurrent, r, 1) + u)));
      vf candidate = vf_tanh(vf_fma(reset, q, a[2]));
      vf h = vf_load(output_at(b->state, r, 0) + u);
      store_first(output_at(b->gates, r, 0) + u, reset, n);
      store_first(output_at(b->gates, r, 1) + u, update, n);
      store_first(output_at(b->gates, r, 2) + u, candidate, n);
      store_first(output_at(b->cell, r, 0) + u, q, n);
      store_first(output_at(b->hidden, r, 0) + u, vf_fma(update, vf_sub(h, candidate), candidate), n);
    }
}

ATTN_INLINE vf hidden_gradient(const attn_gate_gradients_block *b, int64_t r, int64_t u, int64_t n) {
  vf carried = vf_load(output_at(b->hidden_state, r, 0) + u);
  return b->hidden_gradient.data ? vf_add(load_first(input_at(b->hidden_gradient, r, 0) + u, n), carried) : carried;
}

static void lstm_gradients(const attn_gate_gradients_block *b) {
  for (int64_t r = 0; r < b->rows; r++)
    for (int64_t u = 0; u < b->units; u += VF_LANES) {
      int64_t n = b->units - u;
      vf i = load_first(input_at(b->gates, r, 0) + u, n), f = load_first(input_at(b->gates, r, 1) + u, n);
      vf g = load_first(input_at(b->gates, r, 2) + u, n), o = load_first(input_at(b->gates, r, 3) + u, n);
      vf t = vf_tanh(load_first(input_at(b->cell, r, 0) + u, n)), dh = hidden_gradient(b, r, u, n);
      real *state = output_at(b->cell_state, r, 0) + u;
      vf dc = vf_fma(vf_mul(dh, o), tanh_slope(t), vf_load(state));
      vf_store(state, vf_mul(dc, f));
      vf previous = load_first(input_at(b->previous, r, 0) + u, n);
      store_first(output_at(b->gate_gradients, r, 0) + u, vf_mul(vf_mul(dc, g), sigmoid_slope(i)), n);
      store_first(output_at(b->gate_gradients, r, 1) + u, vf_mul(vf_mul(dc, previous), sigmoid_slope(f)), n);
      store_first(output_at(b->gate_gradients, r, 2) + u, vf_mul(vf_mul(dc, i), tanh_slope(g)), n);
      store_first(output_at(b->gate_gradients, r, 3) + u, vf_mul(vf_mul(dh, t), sigmoid_slope(o)), n);
    }
}

static void gru_gradients(const attn_gate_gradients_block *b) {
  for (int64_t r = 0; r < b->rows; r++)
    for (int64_t u = 0; u < b->units; u += VF_LANES) {
      int64_t n = b->units - u;
      vf reset = load_first(input_at(b->gates, r, 0) + u, n), update = load_first(input_at(b->gates, r, 1) + u, n);
      vf candidate = load_first(input_at(b->gates, r, 2) + u, n), q = load_first(input_at(b->cell, r, 0) + u, n);
      vf previous = load_first(input_at(b->previous, r, 0) + u, n), dh = hidden_gradient(b, r, u, n);
      vf dn = vf_mul(vf_mul(dh, vf_sub(vf_set1(1), update)), tanh_slope(candidate));
      vf dz = vf_mul(vf_mul(dh, vf_sub(previous, candidate)), sigmoid_slope(update));
      vf dr = vf_mul(vf_mul(dn, q), sigmoid_slope(reset));
      vf_store(output_at(b->hidden_state, r, 0) + u, vf_mul(dh, update));
      store_first(output_at(b->gate_gradients, r, 0) + u, dr, n);
      store_first(output_at(b->gate_gradients, r, 1) + u, dz, n);
      store_first(output_at(b->gate_gradients, r, 2) + u, dn, n);
      store_first(output_at(b->recurrent_gradients, r, 0) + u, dr, n);
      store_first(output_at(b->recurrent_gradients, r, 1) + u, dz, n);
      store_first(output_at(b->recurrent_gradients, r, 2) + u, vf_mul(dn, reset), n);
    }
}
