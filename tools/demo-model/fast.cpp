// Loss and gradient of the demo model, one sequence at a time and one thread per core.
//
// The same function as loss() in model.py, which train.py compares it with before it starts; eager PyTorch spends most
// of its time on small element-wise tensors, this keeps a sequence's activations in cache.
// Shapes: T = seqLen, C = hidden, H heads of D, K kvHeads, F = ffn, V = vocab, L = blocks. Row-major float32.

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <thread>
#include <vector>

extern "C" void cblas_sgemm(int order, int ta, int tb, int m, int n, int k, float alpha, const float* a, int lda,
                            const float* b, int ldb, float beta, float* c, int ldc);
extern "C" void openblas_set_num_threads(int);

namespace {

constexpr int C = 128, H = 8, K = 4, D = 16, F = 352, L = 12, QKV = (H + 2 * K) * D;
constexpr float EPS = 1e-5f, THETA = 10000.f;
typedef float v8 __attribute__((vector_size(32), aligned(4)));

// Offsets in the flat parameter vector; model.py has the same order.
constexpr long ATTN_NORM = 0, W_QKV = C, W_O = W_QKV + QKV * C, MLP_NORM = W_O + C * C, W_GU = MLP_NORM + C,
               W_DOWN = W_GU + 2 * F * C, BLOCK = W_DOWN + C * F;

// Y[T,out] = X[T,in] · W[out,in]ᵀ
void linear(const float* x, const float* w, float* y, int T, int in, int out, float beta = 0) {
  cblas_sgemm(101, 111, 112, T, out, in, 1, x, in, w, in, beta, y, out);
}
// dX[T,in] (+)= dY · W
void linearInput(const float* dy, const float* w, float* dx, int T, int in, int out, float beta = 0) {
  cblas_sgemm(101, 111, 111, T, in, out, 1, dy, out, w, in, beta, dx, in);
}
// dW[out,in] += dYᵀ · X
void linearWeight(const float* dy, const float* x, float* dw, int T, int in, int out) {
  cblas_sgemm(101, 112, 111, out, in, T, 1, dy, out, x, in, 1, dw, in);
}

void rmsnorm(const float* x, const float* w, float* y, float* scale, int T) {
  for (int t = 0; t < T; t++) {
    const float* xr = x + t * C;
    float sum = 0;
    for (int c = 0; c < C; c++) sum += xr[c] * xr[c];
    const float s = scale[t] = 1.f / std::sqrt(sum / C + EPS);
    for (int c = 0; c < C; c++) y[t * C + c] = xr[c] * s * w[c];
  }
}

// dX += gradient through the norm
void rmsnormBackward(const float* dy, const float* x, const float* w, const float* scale, float* dx, float* dw, int T) {
  for (int t = 0; t < T; t++) {
    const float *xr = x + t * C, *dyr = dy + t * C, s = scale[t];
    float dot = 0;
    for (int c = 0; c < C; c++) dot += dyr[c] * w[c] * xr[c];
    const float k = dot * s * s * s / C;
    for (int c = 0; c < C; c++) {
      dw[c] += dyr[c] * xr[c] * s;
      dx[t * C + c] += dyr[c] * w[c] * s - xr[c] * k;
    }
  }
}

struct Rope {
  std::vector<float> cos, sin;  // [T, D/2]
  explicit Rope(int T) : cos(T * D / 2), sin(T * D / 2) {
    for (int t = 0; t < T; t++)
      for (int i = 0; i < D / 2; i++) {
        const double angle = t * std::pow((double)THETA, -2.0 * i / D);
        cos[t * D / 2 + i] = std::cos(angle), sin[t * D / 2 + i] = std::sin(angle);
      }
  }
  // Rotates the query and key heads of qkv[T, QKV]; sign −1 turns back.
  void turn(float* qkv, int T, float sign) const {
    for (int t = 0; t < T; t++)
      for (int h = 0; h < H + K; h++) {
        float* v = qkv + t * QKV + h * D;
        for (int i = 0; i < D / 2; i++) {
          const float c = cos[t * D / 2 + i], s = sign * sin[t * D / 2 + i], a = v[i], b = v[i + D / 2];
          v[i] = a * c - b * s, v[i + D / 2] = b * c + a * s;
        }
      }
  }
};

struct Saved {  // what the backward pass of one block needs
  std::vector<float> x, n1, s1, qkv, att, lse, x2, n2, s2, gu, h;
  explicit Saved(int T)
      : x(T * C), n1(T * C), s1(T), qkv(T * QKV), att(T * C), lse(H * T), x2(T * C), n2(T * C), s2(T), gu(T * 2 * F), h(T * F) {}
};

struct Workspace {
  std::vector<Saved> block;
  std::vector<float> x, n, s, logits, dx, dn, dqkv, datt, dgu, dh, kt, vt, p, dp, dk, dv;
  Rope rope;
  Workspace(int T, int V)
      : block(L, Saved(T)), x(T * C), n(T * C), s(T), logits((long)T * V), dx(T * C), dn(T * C), dqkv(T * QKV), datt(T * C),
        dgu(T * 2 * F), dh(T * F), kt(D * T), vt(D * T), p(T + 8), dp(T + 8), dk(T * D), dv(T * D), rope(T) {}
};

// out[0..i] = row · columns, with the columns stored as mt[D][T]
inline void rowDots(const float* row, const float* mt, float* out, int i, int T) {
  for (int j = 0; j <= i; j += 8) {
    v8 a = {}, b = {};
    for (int d = 0; d < D; d += 2) {
      a += row[d] * *(const v8*)(mt + d * T + j);
      b += row[d + 1] * *(const v8*)(mt + (d + 1) * T + j);
    }
    *(v8*)(out + j) = a + b;
  }
}

// out[D] = Σ_j p[j] · m[j·stride …]
inline void weightedRows(const float* p, const float* m, long stride, int n, float* out) {
  v8 a[4] = {}, b[4] = {};
  int j = 0;
  for (; j + 4 <= n; j += 4)
    for (int u = 0; u < 4; u++) {
      const float* row = m + (j + u) * stride;
      a[u] += p[j + u] * *(const v8*)row;
      b[u] += p[j + u] * *(const v8*)(row + 8);
    }
  for (; j < n; j++) {
    const float* row = m + j * stride;
    a[0] += p[j] * *(const v8*)row;
    b[0] += p[j] * *(const v8*)(row + 8);
  }
  *(v8*)out = (a[0] + a[1]) + (a[2] + a[3]);
  *(v8*)(out + 8) = (b[0] + b[1]) + (b[2] + b[3]);
}

void transposeHead(const float* qkv, int offset, float* out, int T) {
  for (int t = 0; t < T; t++)
    for (int d = 0; d < D; d++) out[d * T + t] = qkv[t * QKV + offset + d];
}

const float SCALE = 0.25f;  // 1/√D

void attention(Saved& b, Workspace& w, int T) {
  for (int h = 0; h < H; h++) {
    const int kOff = (H + h * K / H) * D, vOff = kOff + K * D;
    transposeHead(b.qkv.data(), kOff, w.kt.data(), T);
    float* p = w.p.data();
    for (int i = 0; i < T; i++) {
      rowDots(&b.qkv[i * QKV + h * D], w.kt.data(), p, i, T);
      float top = -INFINITY, sum = 0;
      for (int j = 0; j <= i; j++) top = std::max(top, p[j]);
      for (int j = 0; j <= i; j++) sum += p[j] = std::exp((p[j] - top) * SCALE);
      b.lse[h * T + i] = top * SCALE + std::log(sum);
      float out[D];
      weightedRows(p, &b.qkv[vOff], QKV, i + 1, out);
      for (int d = 0; d < D; d++) b.att[i * C + h * D + d] = out[d] / sum;
    }
  }
}

// dqkv from datt; probabilities are computed again from the log-sum-exp.
void attentionBackward(const Saved& b, Workspace& w, int T) {
  std::fill(w.dqkv.begin(), w.dqkv.end(), 0.f);
  for (int h = 0; h < H; h++) {
    const int kOff = (H + h * K / H) * D, vOff = kOff + K * D;
    transposeHead(b.qkv.data(), kOff, w.kt.data(), T);
    transposeHead(b.qkv.data(), vOff, w.vt.data(), T);
    float *p = w.p.data(), *dp = w.dp.data();
    for (int i = 0; i < T; i++) {
      const float *q = &b.qkv[i * QKV + h * D], *dOut = &w.datt[i * C + h * D], *out = &b.att[i * C + h * D];
      rowDots(q, w.kt.data(), p, i, T);
      rowDots(dOut, w.vt.data(), dp, i, T);
      float dot = 0;
      for (int d = 0; d < D; d++) dot += dOut[d] * out[d];
      const float lse = b.lse[h * T + i];
      for (int j = 0; j <= i; j++) {
        p[j] = std::exp(p[j] * SCALE - lse);
        dp[j] = p[j] * (dp[j] - dot) * SCALE;
      }
      weightedRows(dp, &b.qkv[kOff], QKV, i + 1, &w.dqkv[i * QKV + h * D]);
      const v8 q0 = *(const v8*)q, q1 = *(const v8*)(q + 8), o0 = *(const v8*)dOut, o1 = *(const v8*)(dOut + 8);
      for (int j = 0; j <= i; j++) {
        float *dk = &w.dqkv[j * QKV + kOff], *dv = &w.dqkv[j * QKV + vOff];
        *(v8*)dk += dp[j] * q0, *(v8*)(dk + 8) += dp[j] * q1;
        *(v8*)dv += p[j] * o0, *(v8*)(dv + 8) += p[j] * o1;
      }
    }
  }
}

void forwardBlock(const float* p, Saved& b, Workspace& w, int T) {
  b.x = w.x;
  rmsnorm(w.x.data(), p + ATTN_NORM, b.n1.data(), b.s1.data(), T);
  linear(b.n1.data(), p + W_QKV, b.qkv.data(), T, C, QKV);
  w.rope.turn(b.qkv.data(), T, 1);
  attention(b, w, T);
  linear(b.att.data(), p + W_O, w.x.data(), T, C, C, 1);
  b.x2 = w.x;
  rmsnorm(w.x.data(), p + MLP_NORM, b.n2.data(), b.s2.data(), T);
  linear(b.n2.data(), p + W_GU, b.gu.data(), T, C, 2 * F);
  for (int t = 0; t < T; t++) {
    const float *g = &b.gu[t * 2 * F], *u = g + F;
    for (int f = 0; f < F; f++) b.h[t * F + f] = g[f] / (1 + std::exp(-g[f])) * u[f];
  }
  linear(b.h.data(), p + W_DOWN, w.x.data(), T, F, C, 1);
}

// w.dx: gradient of the block's output in, of its input out.
void backwardBlock(const float* p, float* g, const Saved& b, Workspace& w, int T) {
  linearInput(w.dx.data(), p + W_DOWN, w.dh.data(), T, F, C);
  linearWeight(w.dx.data(), b.h.data(), g + W_DOWN, T, F, C);
  for (int t = 0; t < T; t++) {
    const float *gate = &b.gu[t * 2 * F], *up = gate + F, *dh = &w.dh[t * F];
    float *dGate = &w.dgu[t * 2 * F], *dUp = dGate + F;
    for (int f = 0; f < F; f++) {
      const float sig = 1 / (1 + std::exp(-gate[f]));
      dUp[f] = dh[f] * gate[f] * sig;
      dGate[f] = dh[f] * up[f] * sig * (1 + gate[f] * (1 - sig));
    }
  }
  linearInput(w.dgu.data(), p + W_GU, w.dn.data(), T, C, 2 * F);
  linearWeight(w.dgu.data(), b.n2.data(), g + W_GU, T, C, 2 * F);
  rmsnormBackward(w.dn.data(), b.x2.data(), p + MLP_NORM, b.s2.data(), w.dx.data(), g + MLP_NORM, T);
  linearInput(w.dx.data(), p + W_O, w.datt.data(), T, C, C);
  linearWeight(w.dx.data(), b.att.data(), g + W_O, T, C, C);
  attentionBackward(b, w, T);
  w.rope.turn(w.dqkv.data(), T, -1);
  linearInput(w.dqkv.data(), p + W_QKV, w.dn.data(), T, C, QKV);
  linearWeight(w.dqkv.data(), b.n1.data(), g + W_QKV, T, C, QKV);
  rmsnormBackward(w.dn.data(), b.x.data(), p + ATTN_NORM, b.s1.data(), w.dx.data(), g + ATTN_NORM, T);
}

// Softmax and cross entropy; logits become their gradient × weight. Returns Σ nll; nll per token if asked.
double crossEntropy(float* logits, const int32_t* target, int T, int V, float weight, float* nll) {
  double loss = 0;
  for (int t = 0; t < T; t++) {
    float* row = logits + (long)t * V;
    float top = -INFINITY, sum = 0;
    for (int v = 0; v < V; v++) top = std::max(top, row[v]);
    const float wanted = row[target[t]] - top;
    for (int v = 0; v < V; v++) sum += row[v] = std::exp(row[v] - top);
    const float k = weight / sum;
    for (int v = 0; v < V; v++) row[v] *= k;
    row[target[t]] -= weight;
    const float one = std::log(sum) - wanted;
    if (nll) nll[t] = one;
    loss += one;
  }
  return loss;
}

// One sequence: tokens[T+1]; skip[L] ≠ 0 leaves a block out. grad = nullptr: loss only.
double sequence(const float* params, float* grad, const int32_t* tokens, const uint8_t* skip, Workspace& w, int T, int V,
                float weight, float* nll) {
  const float* embed = params;
  const float* blocks = params + (long)V * C;
  const float* finalNorm = blocks + L * BLOCK;
  for (int t = 0; t < T; t++) std::memcpy(&w.x[t * C], embed + (long)tokens[t] * C, C * sizeof(float));
  for (int l = 0; l < L; l++)
    if (!skip[l]) forwardBlock(blocks + l * BLOCK, w.block[l], w, T);
  rmsnorm(w.x.data(), finalNorm, w.n.data(), w.s.data(), T);
  linear(w.n.data(), embed, w.logits.data(), T, C, V);
  const double loss = crossEntropy(w.logits.data(), tokens + 1, T, V, weight, nll);
  if (!grad) return loss;
  linearInput(w.logits.data(), embed, w.dn.data(), T, C, V);
  linearWeight(w.logits.data(), w.n.data(), grad, T, C, V);
  std::fill(w.dx.begin(), w.dx.end(), 0.f);
  rmsnormBackward(w.dn.data(), w.x.data(), finalNorm, w.s.data(), w.dx.data(), grad + (finalNorm - params), T);
  for (int l = L - 1; l >= 0; l--)
    if (!skip[l]) backwardBlock(blocks + l * BLOCK, grad + (long)V * C + l * BLOCK, w.block[l], w, T);
  for (int t = 0; t < T; t++)
    for (int c = 0; c < C; c++) grad[(long)tokens[t] * C + c] += w.dx[t * C + c];
  return loss;
}

}  // namespace

// Mean loss of `batch` sequences of T+1 tokens; grads (if not null) is overwritten with its gradient, nll[batch,T] with
// each token's loss.
extern "C" double loss_and_grad(const float* params, float* grads, long size, const int32_t* tokens, const uint8_t* skips,
                                int batch, int T, int V, int threads, float* nll) {
  openblas_set_num_threads(1);
  static std::vector<Workspace*> spaces;
  static int spaceT = 0;
  if (spaceT != T) {
    for (auto* space : spaces) delete space;
    spaces.clear(), spaceT = T;
  }
  while ((int)spaces.size() < threads) spaces.push_back(new Workspace(T, V));
  static std::vector<std::vector<float>> extra;
  extra.resize(threads);
  std::atomic<int> next{0};
  std::vector<double> losses(batch);
  auto work = [&](int id) {
    float* grad = nullptr;
    if (grads) {
      if (id > 0) extra[id].resize(size);
      grad = id == 0 ? grads : extra[id].data();
      std::memset(grad, 0, size * sizeof(float));
    }
    for (int s; (s = next++) < batch;)
      losses[s] = sequence(params, grad, tokens + (long)s * (T + 1), skips + s * L, *spaces[id], T, V, 1.f / (batch * T),
                           nll ? nll + (long)s * T : nullptr);
  };
  std::vector<std::thread> pool;
  for (int id = 1; id < threads; id++) pool.emplace_back(work, id);
  work(0);
  for (auto& thread : pool) thread.join();
  for (int id = 1; grads && id < threads; id++)
    for (long i = 0; i < size; i++) grads[i] += extra[id][i];
  double total = 0;
  for (double loss : losses) total += loss;
  return total / ((double)batch * T);
}
