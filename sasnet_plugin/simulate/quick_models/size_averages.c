// Averages over sizes and orientations of particles whose amplitude is a sum of products, each factor
// depending on one component of q. Called by size_averages.py.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("O3")
#endif
#include <math.h>
#include <stdlib.h>
#include <string.h>

#ifdef _WIN32
#define EXPORT __declspec(dllexport)
#else
#define EXPORT
#endif

enum { DISK, SLAB, BALL, WAVE };

// Steps from the first point of a grid of radii to the first radius: one, and not less by rounding.
#define MARGIN 1.001
#define HALF_ROOT 0.70710678118654752440

// J1(x) for x > 0: M. Abramowitz & I. Stegun, Handbook of Mathematical Functions (1964), 9.4.4 and 9.4.6.
static double bessel_j1(double x)
{
    if (x <= 3.0) {
        const double t = x*x/9.0;
        return x*(0.5 + t*(-0.56249985 + t*(0.21093573 + t*(-0.03954289
            + t*(0.00443319 + t*(-0.00031761 + t*0.00001109))))));
    }
    const double t = 3.0/x;
    const double f = 0.79788456 + t*(0.00000156 + t*(0.01659667 + t*(0.00017105
        + t*(-0.00249511 + t*(0.00113653 - t*0.00020033)))));
    const double phase = x - 2.35619449 + t*(0.12499612 + t*(0.00005650 + t*(-0.00637879
        + t*(0.00074348 + t*(0.00079824 - t*0.00029166)))));
    return f*cos(phase)/sqrt(x);
}

// 2 J1(x)/x, sin(x)/x, 3 (sin x - x cos x)/x^3 and cos(x), each 1 at x = 0.
static double profile(int kind, double x)
{
    x = fabs(x);
    if (kind == WAVE) return cos(x);
    if (kind == SLAB) return x < 1e-4 ? 1.0 : sin(x)/x;
    if (kind == DISK) return x < 1e-4 ? 1.0 : 2.0*bessel_j1(x)/x;
    return x < 0.05 ? 1.0 - x*x*(0.1 - x*x/280.0) : 3.0*(sin(x) - x*cos(x))/(x*x*x);
}

// Number of distinct products of k functions, or k if the functions themselves are averaged.
static int column_count(int k, int amplitude) { return amplitude ? k : k*(k + 1)/2; }

// Second derivatives of the cubic spline on an even grid: slope 0 at the left, as all profiles are even
// functions, and no curvature at the right. Entries of one column lie `stride` apart, each second derivative
// `second` behind its value.
static void spline(double *table, int n, int stride, int second, double step, double *work)
{
    double *above = work, *right = work + n;
    const double scale = 1.0/(step*step);
    above[0] = 0.5;
    right[0] = 3.0*scale*(table[stride] - table[0]);
    for (int i = 1; i < n - 1; i++) {
        const double bend = 6.0*scale*(table[(i + 1)*stride] - 2.0*table[i*stride] + table[(i - 1)*stride]);
        // The pivots have become constant to the last digit.
        const double pivot = i > 40 ? above[40] : 1.0/(4.0 - above[i - 1]);
        above[i] = pivot;
        right[i] = (bend - right[i - 1])*pivot;
    }
    table[(n - 1)*stride + second] = 0.0;
    for (int i = n - 2; i >= 0; i--) {
        table[i*stride + second] = right[i] - above[i]*table[(i + 1)*stride + second];
    }
}

// 2 J1(x)/x at x = 0, step, 2 step, ...: `bessel_j1` above 3, its cosine from those of x by rotation and of the
// small rest of the phase by series, whose next terms are 1e-12.
static void disk_column(double size, int n, double step, double *column)
{
    const double h = step*size, sine_step = sin(h), cosine_step = cos(h);
    int i = 0;
    for (; i < n && i*h <= 3.0; i++) column[i] = profile(DISK, i*h);
    if (i == n) return;
    double sine = sin(i*h), cosine = cos(i*h);
    for (; i < n; i++) {
        const double x = i*h, t = 3.0/x;
        const double f = 0.79788456 + t*(0.00000156 + t*(0.01659667 + t*(0.00017105
            + t*(-0.00249511 + t*(0.00113653 - t*0.00020033)))));
        const double e = t*(0.12499612 + t*(0.00005650 + t*(-0.00637879
            + t*(0.00074348 + t*(0.00079824 - t*0.00029166)))));
        const double ee = e*e;
        const double se = e*(1.0 - ee*(1.0/6.0 - ee*(1.0/120.0 - ee/5040.0)));
        const double ce = 1.0 - ee*(0.5 - ee*(1.0/24.0 - ee*(1.0/720.0 - ee/40320.0)));
        // cos(x - 3 pi/4 + e), as 3 pi/4 is 2.35619449.
        column[i] = 2.0*f*HALF_ROOT*(sine*(ce + se) - cosine*(ce - se))/(x*sqrt(x));
        const double next = sine*cosine_step + cosine*sine_step;
        cosine = cosine*cosine_step - sine*sine_step;
        sine = next;
    }
}

// f(size x) at x = 0, step, 2 step, ...; sines by rotation, whose error stays below n 1e-16.
static void profile_column(int kind, double size, int n, double step, double *column)
{
    if (kind == DISK) {
        disk_column(fabs(size), n, step, column);
        return;
    }
    if (kind == BALL) {
        for (int i = 0; i < n; i++) column[i] = profile(kind, i*step*size);
        return;
    }
    const double sine_step = sin(step*size), cosine_step = cos(step*size);
    double sine = 0.0, cosine = 1.0;
    for (int i = 0; i < n; i++) {
        const double x = i*step*size;
        column[i] = kind == WAVE ? cosine : fabs(x) < 1e-4 ? 1.0 : sine/x;
        const double next = sine*cosine_step + cosine*sine_step;
        cosine = cosine*cosine_step - sine*sine_step;
        sine = next;
    }
}

// Average over sizes of the k terms sum_h c_kh f(s_h x), or of the products for k <= l, at x = 0, step, 2 step,
// ... sizes: (halves, count), factors: (k, halves, count), weights: (count,), table: (n, columns, 2),
// work: (k + 3 + columns) n.
EXPORT void size_table(int kind, int halves, int k, int count, const double *sizes, const double *factors,
    const double *weights, int amplitude, int n, double step, double *table, double *work)
{
    const int columns = column_count(k, amplitude);
    double *column = work + (size_t)k*n, *sums = work + (size_t)(k + 3)*n;
    memset(sums, 0, sizeof(double)*n*columns);
    for (int s = 0; s < count; s++) {
        memset(work, 0, sizeof(double)*k*n);
        for (int h = 0; h < halves; h++) {
            profile_column(kind, sizes[h*count + s], n, step, column);
            for (int a = 0; a < k; a++) {
                const double factor = factors[(a*halves + h)*count + s];
                double *term = work + (size_t)a*n;
                if (factor != 0.0) for (int i = 0; i < n; i++) term[i] += factor*column[i];
            }
        }
        for (int a = 0, c = 0; a < k; a++) {
            const double *first = work + (size_t)a*n;
            if (amplitude) {
                for (int i = 0; i < n; i++) sums[(size_t)a*n + i] += weights[s]*first[i];
                continue;
            }
            for (int b = a; b < k; b++, c++) {
                const double *second = work + (size_t)b*n;
                for (int i = 0; i < n; i++) sums[(size_t)c*n + i] += weights[s]*first[i]*second[i];
            }
        }
    }
    for (int c = 0; c < columns; c++) {
        for (int i = 0; i < n; i++) table[((size_t)i*columns + c)*2] = sums[(size_t)c*n + i];
    }
    for (int c = 0; c < columns; c++) spline(table + 2*c, n, 2*columns, 1, step, work + (size_t)(k + 1)*n);
}

// Average over angles of the product of two tables, at q times the nodes' sine and cosine.
// Without `summed` the columns are kept apart, as a table: out (points, columns, 2) and its splines on the even
// grid of step `step`; with it they are added, products of different functions twice: out (points,).
EXPORT void angle_average(int points, const double *q, const int *first, const int *last, const double *sine,
    const double *cosine, const double *weight, int k, int amplitude,
    int n1, double step1, const double *table1, int n2, double step2, const double *table2,
    int summed, double step, double *out, double *work)
{
    const int columns = column_count(k, amplitude);
    const double scale1 = 1.0/step1, scale2 = 1.0/step2, bend1 = step1*step1/6.0, bend2 = step2*step2/6.0;
    double total[36];
    for (int i = 0; i < points; i++) {
        for (int c = 0; c < columns; c++) total[c] = 0.0;
        for (int j = first[i]; j < last[i]; j++) {
            const double x1 = q[i]*sine[j]*scale1, x2 = q[i]*cosine[j]*scale2;
            const int i1 = x1 < n1 - 2 ? (int)x1 : n1 - 2, i2 = x2 < n2 - 2 ? (int)x2 : n2 - 2;
            const double b1 = x1 - i1, a1 = 1.0 - b1, b2 = x2 - i2, a2 = 1.0 - b2;
            const double c1 = a1*(a1*a1 - 1.0)*bend1, d1 = b1*(b1*b1 - 1.0)*bend1;
            const double c2 = a2*(a2*a2 - 1.0)*bend2, d2 = b2*(b2*b2 - 1.0)*bend2;
            const double *l1 = table1 + (size_t)2*columns*i1, *r1 = l1 + 2*columns;
            const double *l2 = table2 + (size_t)2*columns*i2, *r2 = l2 + 2*columns;
            for (int c = 0; c < columns; c++) {
                const double v1 = a1*l1[2*c] + b1*r1[2*c] + c1*l1[2*c + 1] + d1*r1[2*c + 1];
                const double v2 = a2*l2[2*c] + b2*r2[2*c] + c2*l2[2*c + 1] + d2*r2[2*c + 1];
                total[c] += weight[j]*v1*v2;
            }
        }
        if (!summed) {
            for (int c = 0; c < columns; c++) out[(size_t)2*columns*i + 2*c] = total[c];
            continue;
        }
        double sum = 0.0;
        for (int a = 0, c = 0; a < k; a++) {
            if (amplitude) { sum += total[a]; continue; }
            for (int b = a; b < k; b++, c++) sum += (a == b ? 1.0 : 2.0)*total[c];
        }
        out[i] = sum;
    }
    if (!summed) {
        for (int c = 0; c < columns; c++) spline(out + 2*c, points, 2*columns, 1, step, work);
    }
}

// Each of k terms sum_h c_kh f(s_h x) of each size by itself, with splines, at x = 0, step, 2 step, ... sizes:
// (halves, count), factors: (k, halves, count), table: (n, 2, count, k), work: 2 n.
EXPORT void term_table(const int *kinds, int halves, int k, int count, const double *sizes,
    const double *factors, int n, double step, double *table, double *work)
{
    const int columns = k*count;
    memset(table, 0, sizeof(double)*2*n*columns);
    for (int h = 0; h < halves; h++) {
        for (int s = 0; s < count; s++) {
            const double size = sizes[h*count + s];
            if (s == 0 || size != sizes[h*count + s - 1]) profile_column(kinds[h], size, n, step, work);
            for (int a = 0; a < k; a++) {
                const double factor = factors[(a*halves + h)*count + s];
                double *term = table + (size_t)s*k + a;
                if (factor != 0.0) for (int i = 0; i < n; i++) term[(size_t)2*columns*i] += factor*work[i];
            }
        }
    }
    for (int c = 0; c < columns; c++) spline(table + c, n, 2*columns, columns, step, work);
}

// Values of all columns of a `term_table` at x.
static inline void look_up(const double *table, int n, double step, int columns, double x,
    double *restrict values)
{
    const double bend = step*step/6.0;
    x = x/step;
    const int i = x < n - 2 ? (int)x : n - 2;
    const double b = x - i, a = 1.0 - b;
    const double c = a*(a*a - 1.0)*bend, d = b*(b*b - 1.0)*bend;
    const double *left = table + (size_t)2*columns*i, *right = left + 2*columns;
    for (int k = 0; k < columns; k++) {
        values[k] = a*left[k] + b*right[k] + c*left[columns + k] + d*right[columns + k];
    }
}

// Average over angles and sizes of the amplitude, a sum of k products of two tables' terms, or of its square.
EXPORT void term_average(int points, const double *q, const int *first, const int *last, const double *sine,
    const double *cosine, const double *weight, int k, int count, const double *shares, int amplitude,
    int n1, double step1, const double *table1, int n2, double step2, const double *table2,
    double *out, double *work)
{
    const int columns = k*count;
    double *one = work, *two = work + columns;
    for (int i = 0; i < points; i++) {
        double total = 0.0;
        for (int j = first[i]; j < last[i]; j++) {
            double sum = 0.0;
            look_up(table1, n1, step1, columns, q[i]*sine[j], one);
            look_up(table2, n2, step2, columns, q[i]*cosine[j], two);
            for (int s = 0; s < count; s++) {
                double whole = 0.0;
                for (int a = s*k; a < (s + 1)*k; a++) whole += one[a]*two[a];
                sum += shares[s]*(amplitude ? whole : whole*whole);
            }
            total += weight[j]*sum;
        }
        out[i] = total;
    }
}

// Average over directions and sizes of a sum of ellipsoids of one centre and axis, or of its square. Squared half
// axes and factors: (layers, count). `balls`: (n, 2), (1 + x^2) 3 (sin x - x cos x)/x^3 with splines.
// work: layers*count*(most nodes).
EXPORT void layer_average(int points, const double *q, const int *first, const int *last, const double *cosine,
    const double *weight, int layers, int count, const double *equatorial, const double *polar,
    const double *factors, const double *shares, int amplitude, int n, double step, const double *balls,
    double *out, double *work)
{
    const double scale = 1.0/step, bend = step*step/6.0;
    int begin = -1;
    for (int i = 0; i < points; i++) {
        const int nodes = last[i] - first[i];
        if (first[i] != begin) {
            begin = first[i];
            double *radius = work;
            for (int s = 0; s < count; s++) for (int j = 0; j < nodes; j++) for (int l = 0; l < layers; l++) {
                const double u = cosine[begin + j], e = equatorial[l*count + s], p = polar[l*count + s];
                *radius++ = sqrt(e + (p - e)*u*u);
            }
        }
        const double *radius = work;
        double total = 0.0;
        for (int s = 0; s < count; s++) {
            double sum = 0.0;
            for (int j = 0; j < nodes; j++) {
                double whole = 0.0;
                for (int l = 0; l < layers; l++) {
                    const double x = q[i]*(*radius++), t = x*scale;
                    double ball;
                    if (t < n - 2) {
                        const int at = (int)t;
                        const double b = t - at, a = 1.0 - b, *e = balls + 2*at;
                        ball = (a*e[0] + b*e[2] + (a*(a*a - 1.0)*e[1] + b*(b*b - 1.0)*e[3])*bend)
                            /(1.0 + x*x);
                    } else {
                        ball = profile(BALL, x);
                    }
                    whole += factors[l*count + s]*ball;
                }
                sum += weight[begin + j]*(amplitude ? whole : whole*whole);
            }
            total += shares[s]*sum;
        }
        out[i] = total;
    }
}

// A column of (1 + x^2) 3 (sin x - x cos x)/x^3 at x = 0, step, ... with its spline: (n, 2), work: 2 n.
EXPORT void ball_table(int n, double step, double *table, double *work)
{
    for (int i = 0; i < n; i++) table[2*i] = (1.0 + i*step*i*step)*profile(BALL, i*step);
    spline(table, n, 2, 1, step, work);
}

// Weights of the four points of an even grid about a value at 1 + t, t in (0, 1): cubic interpolation.
static void shares(double t, double *w)
{
    w[0] = -t*(t - 1.0)*(t - 2.0)/6.0;
    w[1] = (t + 1.0)*(t - 1.0)*(t - 2.0)/2.0;
    w[2] = -(t + 1.0)*t*(t - 2.0)/2.0;
    w[3] = (t + 1.0)*t*(t - 1.0)/6.0;
}

// Put weights at radii on the even grid from `low`, so that sums over smooth functions stay the same.
static void put(int count, const double *radii, const double *weights, double low, double step, double *grid)
{
    double w[4];
    for (int i = 0; i < count; i++) {
        const double x = (radii[i] - low)/step;
        const int at = (int)x;
        shares(x - at, w);
        for (int j = 0; j < 4; j++) grid[at - 1 + j] += weights[i]*w[j];
    }
}

// Average of (3 (sin x - x cos x)/x^3)^power, x = q r, over weighted radii; q ascending and above 0. One grid of
// radii serves each octave of q, its step `phase` over the octave's largest q.
EXPORT int ball_average(int count, const double *radii, const double *weights, int power, int points,
    const double *q, double phase, double *out)
{
    double smallest = radii[0], largest = radii[0];
    for (int i = 1; i < count; i++) {
        smallest = fmin(smallest, radii[i]);
        largest = fmax(largest, radii[i]);
    }
    double *made = NULL, *before = NULL, low = 0.0, step = 0.0;
    int n = 0;
    for (int i = points - 1; i >= 0; i--) {
        if (made == NULL || q[i]*step <= 0.5*phase) {
            const double low_before = low, step_before = step;
            const int n_before = n;
            step = step == 0.0 ? phase/q[i] : 2.0*step;
            while (q[i]*step <= 0.5*phase) step *= 2.0;
            // The grid before it has one point beyond the radii on either side, and this one beyond that.
            low = (before = made) == NULL ? smallest - MARGIN*step : low_before - MARGIN*step;
            const double high = before == NULL ? largest : low_before + (n_before - 1)*step_before;
            n = (int)((high - low)/step) + 4;
            made = calloc(n, sizeof(double));
            double *nodes = before == NULL ? NULL : malloc(sizeof(double)*n_before);
            if (made == NULL || (before != NULL && nodes == NULL)) {
                free(nodes); free(made); free(before);
                return 1;
            }
            if (before == NULL) {
                put(count, radii, weights, low, step, made);
            } else {
                for (int j = 0; j < n_before; j++) nodes[j] = low_before + j*step_before;
                put(n_before, nodes, before, low, step, made);
            }
            free(nodes);
            free(before);
        }
        const double sine_step = sin(q[i]*step), cosine_step = cos(q[i]*step);
        double sine = sin(q[i]*low), cosine = cos(q[i]*low), sum = 0.0;
        for (int j = 0; j < n; j++) {
            const double x = q[i]*(low + j*step), xx = x*x;
            // Below 0.3 the series, whose next term is 1e-12.
            const double f = xx < 0.09
                ? 1.0 - xx*(0.1 - xx*(1.0/280.0 - xx*(1.0/15120.0 - xx/1330560.0)))
                : 3.0*(sine - x*cosine)/(xx*x);
            sum += made[j]*(power == 2 ? f*f : f);
            const double next = sine*cosine_step + cosine*sine_step;
            cosine = cosine*cosine_step - sine*sine_step;
            sine = next;
        }
        out[i] = sum;
    }
    free(made);
    return 0;
}
