//! Numbers as people read them: as many digits as the measurement bears, and units that fit.

/// `x` with three significant digits and thousands separated: `0.912`, `24.4`, `1,900`.
pub(super) fn number(x: f64) -> String {
    if !x.is_finite() {
        return "–".to_owned();
    }
    if x == 0.0 {
        return "0".to_owned();
    }
    // Rounding may carry into another digit (9.996 → 10.0), so round first, then count.
    let digits_before = |x: f64| x.abs().log10().floor() as i32 + 1;
    let unit = 10f64.powi(digits_before(x) - 3);
    let rounded = (x / unit).round() * unit;
    let decimals = (3 - digits_before(rounded)).max(0) as usize;
    thousands(&format!("{rounded:.decimals$}"))
}

/// A whole number with thousands separated.
pub(super) fn count(n: usize) -> String {
    thousands(&n.to_string())
}

fn thousands(text: &str) -> String {
    let (sign, text) = text.strip_prefix('-').map_or(("", text), |rest| ("−", rest));
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let mut out = sign.to_owned();
    for (i, digit) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    if !fraction.is_empty() {
        out.push('.');
        out.push_str(fraction);
    }
    out
}

/// A size in binary units: `48 KiB`, `1.5 MiB`.
pub(super) fn bytes(n: usize) -> String {
    let (mut value, mut unit) = (n as f64, "B");
    for larger in ["KiB", "MiB", "GiB", "TiB"] {
        if value < 1024.0 {
            break;
        }
        (value, unit) = (value / 1024.0, larger);
    }
    let text = if value.fract() == 0.0 { format!("{value:.0}") } else { number(value) };
    format!("{text} {unit}")
}

/// A factor: `17.3×`.
pub(super) fn times(x: f64) -> String {
    format!("{}×", number(x))
}

/// A share: `87 %`.
pub(super) fn percent(x: f64) -> String {
    format!("{:.0} %", x * 100.0)
}

/// A date of RFC 3339 in UTC, to the minute: `2026-01-02 03:04 UTC`.
pub(super) fn date(rfc3339: &str) -> String {
    match rfc3339.split_once('T') {
        Some((day, time)) if rfc3339.ends_with('Z') && time.len() > 5 && time.is_ascii() => {
            format!("{day} {} UTC", &time[..5])
        }
        _ => rfc3339.to_owned(),
    }
}

/// Recall with four decimals where it matters: `0.9921`, `1`.
pub(super) fn recall(x: f64) -> String {
    if x == 1.0 { "1".to_owned() } else { format!("{x:.4}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_digits_whatever_the_size() {
        let cases = [
            (0.0, "0"),
            (0.912_34, "0.912"),
            (0.001_234, "0.00123"),
            (9.996, "10.0"),
            (24.449, "24.4"),
            (999.6, "1,000"),
            (1_896.6, "1,900"),
            (1_234_567.0, "1,230,000"),
            (-12.0, "−12.0"),
            (f64::NAN, "–"),
        ];
        for (x, text) in cases {
            assert_eq!(number(x), text);
        }
    }

    #[test]
    fn units_fit() {
        assert_eq!(bytes(512), "512 B");
        assert_eq!(bytes(48 << 10), "48 KiB");
        assert_eq!(bytes(3 << 19), "1.50 MiB");
        assert_eq!(bytes(1 << 30), "1 GiB");
        assert_eq!(count(60_000), "60,000");
        assert_eq!(count(100), "100");
        assert_eq!(times(17.34), "17.3×");
        assert_eq!(percent(0.874), "87 %");
        assert_eq!(recall(0.99214), "0.9921");
        assert_eq!(date("2026-01-02T03:04:05Z"), "2026-01-02 03:04 UTC");
        assert_eq!(date("yesterday"), "yesterday");
    }
}
