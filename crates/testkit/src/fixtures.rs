//! Files that transcripts send and expect, made from a short description such as `png:40x30`.

use std::io::Cursor;

use anyhow::{Context, Result, bail};
use base64::Engine;
use image::{DynamicImage, ImageFormat, Rgb, RgbImage};

/// What the `jpeg+exif` picture hides in its metadata. No server may ever hand that out.
pub const HIDDEN: &str = "HIDDEN-PLACE-41.3874-2.1686";

/// The bytes of a fixture:
/// `png:WxH`, `jpeg:WxH`, `gif:WxH`, `webp:WxH` are pictures; `jpeg+exif:WxH` one with [`HIDDEN`] in its metadata;
/// `cut-png:WxH` is one that ends in its middle; `text:LETTERS` that text; `html`, `svg`, `pdf` a small document; `zeros:N` N bytes.
pub fn file(name: &str) -> Result<Vec<u8>> {
    let (kind, rest) = name.split_once(':').unwrap_or((name, ""));
    Ok(match kind {
        "png" => picture(rest, ImageFormat::Png)?,
        "jpeg" => picture(rest, ImageFormat::Jpeg)?,
        "gif" => picture(rest, ImageFormat::Gif)?,
        "webp" => picture(rest, ImageFormat::WebP)?,
        "jpeg+exif" => with_comment(&picture(rest, ImageFormat::Jpeg)?),
        "cut-png" => {
            let whole = picture(rest, ImageFormat::Png)?;
            whole[..whole.len() / 2].to_vec()
        }
        "text" => rest.as_bytes().to_vec(),
        "html" => b"<!DOCTYPE html><html><body><script>alert(1)</script></body></html>".to_vec(),
        "svg" => b"<svg xmlns=\"http://www.w3.org/2000/svg\"><script>alert(1)</script></svg>".to_vec(),
        "pdf" => b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n".to_vec(),
        "zeros" => vec![0; rest.parse().context("zeros:N")?],
        _ => bail!("no fixture is called {name}"),
    })
}

/// A fixture in base64.
pub fn base64(name: &str) -> Result<String> {
    Ok(base64::engine::general_purpose::STANDARD.encode(file(name)?))
}

/// Checks that `bytes` are a picture of the format and the size that `name` (`png:40x30`; `*:40x30` for any format) describes.
pub fn check_picture(bytes: &[u8], name: &str) -> Result<()> {
    let (kind, size) = name.split_once(':').context("FORMAT:WxH")?;
    let format = image::guess_format(bytes).context("not a picture")?;
    let picture = image::load_from_memory_with_format(bytes, format).context("a broken picture")?;
    let found = format!("{}x{}", picture.width(), picture.height());
    let named = format.extensions_str().contains(&kind) || format!("{format:?}").eq_ignore_ascii_case(kind);
    if !(named || kind == "*") || !(size == found || size == "*") {
        bail!("a {format:?} of {found}, not {name}");
    }
    Ok(())
}

/// A picture with some variety in it, so that formats cannot shrink it to nothing.
fn picture(size: &str, format: ImageFormat) -> Result<Vec<u8>> {
    let (width, height) = size.split_once('x').context("a picture's size is WxH")?;
    let (width, height): (u32, u32) = (width.parse()?, height.parse()?);
    let shade = |x: u32, y: u32| [x, y, x ^ y].map(|part| u8::try_from(part % 256).unwrap_or_default());
    let pixels = RgbImage::from_fn(width, height, |x, y| Rgb(shade(x, y)));
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::ImageRgb8(pixels).write_to(&mut bytes, format)?;
    Ok(bytes.into_inner())
}

/// Puts an APP1 segment after the start-of-image marker of a JPEG (ITU T.81, B.2.4.6).
fn with_comment(jpeg: &[u8]) -> Vec<u8> {
    let hidden = format!("Exif\0\0{HIDDEN}");
    let length = u16::try_from(hidden.len() + 2).unwrap_or(u16::MAX).to_be_bytes();
    [&jpeg[..2], &[0xFF, 0xE1], &length, hidden.as_bytes(), &jpeg[2..]].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_what_their_names_say() {
        for name in ["png:40x30", "jpeg:8x9", "gif:3x2", "webp:16x16"] {
            check_picture(&file(name).unwrap(), name).unwrap();
            check_picture(&file(name).unwrap(), "*:1x1").unwrap_err();
        }
        check_picture(&file("png:4x4").unwrap(), "jpeg:4x4").unwrap_err();
        check_picture(&file("cut-png:40x40").unwrap(), "png:40x40").unwrap_err();
    }

    #[test]
    fn the_hidden_text_leaves_the_picture_readable() {
        let bytes = file("jpeg+exif:12x10").unwrap();
        check_picture(&bytes, "jpeg:12x10").unwrap();
        assert!(bytes.windows(HIDDEN.len()).any(|window| window == HIDDEN.as_bytes()));
    }
}
