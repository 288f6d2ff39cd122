//! A chart drawn as SVG and read back. Each file of tests uses a part of this.
#![allow(dead_code)]

use ecqx_wasm::charts::accuracy::{self, Accuracy};
use ecqx_wasm::charts::cost::{self, Costs};
use ecqx_wasm::charts::error::ChartError;
use ecqx_wasm::charts::heatmap::{self, Heatmap};
use ecqx_wasm::charts::occupancy::{self, Occupancy};
use ecqx_wasm::charts::scale::text_width;
use ecqx_wasm::charts::scatter::{self, Scatter};
use ecqx_wasm::charts::sparsity::{self, Sparsity};
use ecqx_wasm::charts::theme::{Theme, ThemeInput};
use plotters::backend::SVGBackend;
use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, IntoDrawingArea};

pub(crate) const NEGATIVE: &str = "#B3541E";
pub(crate) const ZERO: &str = "#8A939C";
pub(crate) const POSITIVE: &str = "#2B6CB0";
pub(crate) const RELEVANCE: &str = "#7B3FA0";
pub(crate) const ACCENT: &str = "#0F766E";
pub(crate) const SIZES: [(u32, u32); 6] = [(280, 160), (300, 120), (360, 200), (480, 220), (900, 300), (1000, 160)];

pub(crate) fn theme_input(dpr: f64, font_size: f64) -> ThemeInput {
    let colour = |text: &str| text.to_owned();
    ThemeInput {
        dpr,
        font_family: "sans-serif".to_owned(),
        font_size,
        ink: colour("#1b1f24"),
        ink_muted: colour("#5b6570"),
        grid: colour("#e4e7eb"),
        surface: colour("#ffffff"),
        negative: colour(NEGATIVE),
        zero: colour(ZERO),
        positive: colour(POSITIVE),
        relevance: colour(RELEVANCE),
        accent: colour(ACCENT),
    }
}

pub(crate) type Boxed = [f64; 4];

/// A drawing read back: boxes as x0, y0, x1, y1 in device pixels.
#[derive(Debug)]
pub(crate) struct Picture {
    pub(crate) rects: Vec<(String, Boxed)>,
    pub(crate) circles: Vec<(String, Boxed)>,
    pub(crate) texts: Vec<(String, Boxed)>,
    pub(crate) zones: Vec<[f32; 4]>,
}

impl Picture {
    pub(crate) fn filled(&self, colour: &str) -> Vec<Boxed> {
        self.rects.iter().filter(|(fill, _)| fill == colour).map(|(_, at)| *at).collect()
    }

    pub(crate) fn says(&self, text: &str) -> bool {
        self.texts.iter().any(|(t, _)| t.replace('\u{202f}', " ") == text)
    }
}

fn attribute<'s>(tag: &'s str, name: &str) -> Option<&'s str> {
    let rest = tag.split_once(&format!(" {name}=\""))?.1;
    rest.split_once('"').map(|(value, _)| value)
}

fn number(tag: &str, name: &str) -> f64 {
    attribute(tag, name).unwrap_or_else(|| panic!("{name} in {tag}")).parse().unwrap()
}

pub(crate) type Zones = Result<Vec<[f32; 4]>, ChartError>;

pub(crate) trait Chart {
    fn draw(&self, area: &DrawingArea<SVGBackend<'_>, Shift>, theme: &Theme) -> Zones;
}

impl Chart for Occupancy {
    fn draw(&self, area: &DrawingArea<SVGBackend<'_>, Shift>, theme: &Theme) -> Zones {
        occupancy::draw(area, self, theme)
    }
}

impl Chart for Sparsity {
    fn draw(&self, area: &DrawingArea<SVGBackend<'_>, Shift>, theme: &Theme) -> Zones {
        sparsity::draw(area, self, theme)
    }
}

impl Chart for Accuracy {
    fn draw(&self, area: &DrawingArea<SVGBackend<'_>, Shift>, theme: &Theme) -> Zones {
        accuracy::draw(area, self, theme)
    }
}

impl Chart for Heatmap {
    fn draw(&self, area: &DrawingArea<SVGBackend<'_>, Shift>, theme: &Theme) -> Zones {
        heatmap::draw(area, self, theme)
    }
}

impl Chart for Scatter {
    fn draw(&self, area: &DrawingArea<SVGBackend<'_>, Shift>, theme: &Theme) -> Zones {
        scatter::draw(area, self, theme)
    }
}

impl Chart for Costs {
    fn draw(&self, area: &DrawingArea<SVGBackend<'_>, Shift>, theme: &Theme) -> Zones {
        cost::draw(area, self, theme)
    }
}

/// Draws at `css` size and checks what holds for every picture: nothing outside, no bad number, no text over text.
pub(crate) fn picture(data: &impl Chart, css: (u32, u32), dpr: f64, font: f64) -> Picture {
    let (width, height) = (f64::from(css.0) * dpr, f64::from(css.1) * dpr);
    let theme = Theme::new(&theme_input(dpr, font)).unwrap();
    let mut svg = String::new();
    let zones = {
        let area = SVGBackend::with_string(&mut svg, (width as u32, height as u32)).into_drawing_area();
        data.draw(&area, &theme).unwrap()
    };
    for bad in ["NaN", "inf", "undefined"] {
        assert!(!svg.contains(bad), "{bad} in {svg}");
    }
    let mut out = Picture { rects: Vec::new(), circles: Vec::new(), texts: Vec::new(), zones };
    for tag in svg.split('<') {
        let fill = || attribute(tag, "fill").unwrap_or_default().to_owned();
        if tag.starts_with("rect ") {
            let (x, y) = (number(tag, "x"), number(tag, "y"));
            out.rects.push((fill(), [x, y, x + number(tag, "width"), y + number(tag, "height")]));
        } else if tag.starts_with("circle ") {
            let (x, y, r) = (number(tag, "cx"), number(tag, "cy"), number(tag, "r"));
            out.circles.push((fill(), [x - r, y - r, x + r, y + r]));
        } else if tag.starts_with("text ") {
            let text = tag.split_once('>').unwrap().1.trim().replace("&lt;", "<").replace("&gt;", ">");
            let bold = attribute(tag, "font-weight") == Some("bold") || tag.contains("bold");
            let wide = f64::from(text_width(&text, font * dpr, bold));
            let (x, y) = (number(tag, "x"), number(tag, "y"));
            let x0 = match attribute(tag, "text-anchor").unwrap() {
                "start" => x,
                "middle" => x - wide / 2.0,
                _ => x - wide,
            };
            let half = font * dpr * 0.55;
            out.texts.push((text, [x0, y - half, x0 + wide, y + half]));
        }
    }
    for (what, [x0, y0, x1, y1]) in out.rects.iter().chain(&out.circles).chain(&out.texts) {
        let inside = *x0 >= -1.0 && *y0 >= -1.0 && *x1 <= width + 1.0 && *y1 <= height + 1.0;
        assert!(inside, "{what} at {x0} {y0} {x1} {y1} is outside of {width} x {height}");
    }
    for (i, (text, a)) in out.texts.iter().enumerate() {
        assert!(!text.is_empty() && !text.starts_with('-'), "{text:?} is empty or has a hyphen for a minus");
        for (other, b) in &out.texts[i + 1..] {
            let apart = a[2] <= b[0] || b[2] <= a[0] || a[3] <= b[1] || b[3] <= a[1];
            assert!(apart, "{text:?} {a:?} overlaps {other:?} {b:?} at {css:?} x {dpr}");
        }
    }
    out
}
