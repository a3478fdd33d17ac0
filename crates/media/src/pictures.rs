//! Images: recognised by content, limited, turned upright, fitted and encoded anew.

use std::{io::Cursor, sync::Arc, thread, time::Duration};

use anyhow::{Context, anyhow};
use async_trait::async_trait;
use bytes::Bytes;
use domain::{
    Error, Result,
    ports::{Picture, Pictures},
};
use fast_image_resize::{ResizeOptions, Resizer};
use image::{
    DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits,
    codecs::{jpeg::JpegEncoder, png::PngEncoder},
    metadata::Orientation,
};
use tokio::{sync::Semaphore, time::timeout};

/// The largest width and height taken, in pixels.
const MAX_SIDE: u32 = 12_000;

/// The largest number of pixels taken: what the cameras of telephones make.
const MAX_PIXELS: u64 = 24_000_000;

/// The largest size of the decoded pixels, in bytes.
const MAX_DECODED_BYTES: u64 = 128 * 1024 * 1024;

/// Quality of the JPEG files made, of 100.
const JPEG_QUALITY: u8 = 85;

/// How long a picture waits for a free thread before it is turned away.
const PATIENCE: Duration = Duration::from_secs(10);

/// [`Pictures`] by the `image` crate, one picture a core at a time.
#[derive(Clone, Debug)]
pub struct ImagePictures {
    threads: Arc<Semaphore>,
    patience: Duration,
}

impl ImagePictures {
    /// As many pictures at a time as there are cores; the others wait up to ten seconds.
    pub fn new() -> Self {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        Self::with_limits(cores, PATIENCE)
    }

    /// `at_a_time` pictures at a time; the others wait up to `patience`, and then get [`Error::Throttled`].
    pub fn with_limits(at_a_time: usize, patience: Duration) -> Self {
        Self { threads: Arc::new(Semaphore::new(at_a_time)), patience }
    }
}

impl ImagePictures {
    /// Does `work` on a recognised picture when it is its turn. `None` when the bytes are no picture.
    async fn make(
        &self,
        bytes: Bytes,
        work: impl FnOnce(&[u8], ImageFormat) -> Result<Option<Picture>> + Send + 'static,
    ) -> Result<Option<Picture>> {
        let Some(format) = format_of(&bytes) else { return Ok(None) };
        let turn = timeout(self.patience, Arc::clone(&self.threads).acquire_owned()).await;
        let turn =
            turn.map_err(|_| Error::Throttled(self.patience))?.context("the picture threads are closed")?;
        let made = apart(move || {
            // The turn ends with the work, even when nobody waits for its result any more.
            let _turn = turn;
            work(&bytes, format)
        });
        made.await
    }
}

impl Default for ImagePictures {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Pictures for ImagePictures {
    async fn refit(&self, bytes: Bytes, side: u32) -> Result<Option<Picture>> {
        self.make(bytes, move |bytes, format| refit(bytes, format, side.max(1))).await
    }

    async fn square(&self, bytes: Bytes, side: u32) -> Result<Option<Picture>> {
        self.make(bytes, move |bytes, format| square(bytes, format, side.max(1))).await
    }

    fn recognise(&self, bytes: &[u8]) -> Option<&'static str> {
        format_of(bytes).map(extension)
    }
}

/// Does `work` on a thread that may take long. When it panics, which only a decoder does, there is no picture.
async fn apart(work: impl FnOnce() -> Result<Option<Picture>> + Send + 'static) -> Result<Option<Picture>> {
    match tokio::task::spawn_blocking(work).await {
        Ok(made) => made,
        Err(fault) if fault.is_panic() => {
            tracing::warn!("a picture made its decoder panic and was taken for damaged");
            Ok(None)
        }
        Err(fault) => Err(Error::Internal(anyhow!(fault).context("a picture's thread was stopped"))),
    }
}

/// The format by the first bytes, when it is one of the four.
fn format_of(bytes: &[u8]) -> Option<ImageFormat> {
    let format = image::guess_format(bytes).ok()?;
    let taken = [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::Gif, ImageFormat::WebP];
    taken.contains(&format).then_some(format)
}

fn extension(format: ImageFormat) -> &'static str {
    match format {
        ImageFormat::Jpeg => "jpg",
        ImageFormat::Gif => "gif",
        ImageFormat::WebP => "webp",
        _ => "png",
    }
}

/// `None` when the picture is damaged or too large.
fn refit(bytes: &[u8], format: ImageFormat, side: u32) -> Result<Option<Picture>> {
    let Some((image, orientation)) = decode(bytes, format) else { return Ok(None) };
    let mut image = fit(image, side)?;
    image.apply_orientation(orientation);
    Ok(Some(encode(&image, format).context("cannot encode a picture")?))
}

/// The middle square, fitted. `None` when the picture is damaged or too large.
fn square(bytes: &[u8], format: ImageFormat, side: u32) -> Result<Option<Picture>> {
    let Some((mut image, orientation)) = decode(bytes, format) else { return Ok(None) };
    let (width, height) = (image.width(), image.height());
    let shorter = width.min(height);
    image = image.crop_imm((width - shorter) / 2, (height - shorter) / 2, shorter, shorter);
    let mut image = fit(image, side)?;
    image.apply_orientation(orientation);
    Ok(Some(encode(&image, format).context("cannot encode a picture")?))
}

/// The first image of the file, within the limits, and which way up it is. The limits are checked here, by what the
/// decoder read from the header: `DynamicImage::from_decoder` checks none, and decoders may ignore theirs.
fn decode(bytes: &[u8], format: ImageFormat) -> Option<(DynamicImage, Orientation)> {
    if format == ImageFormat::Jpeg && !is_whole_jpeg(bytes) {
        return None;
    }
    let mut limits = Limits::no_limits();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(MAX_DECODED_BYTES);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().ok()?;
    let (width, height) = decoder.dimensions();
    if !is_within_limits(width, height, decoder.total_bytes()) {
        return None;
    }
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    Some((DynamicImage::from_decoder(decoder).ok()?, orientation))
}

fn is_within_limits(width: u32, height: u32, decoded_bytes: u64) -> bool {
    let pixels = u64::from(width) * u64::from(height);
    width.max(height) <= MAX_SIDE && pixels <= MAX_PIXELS && decoded_bytes <= MAX_DECODED_BYTES
}

/// Whether the image data of a JPEG file (ITU-T T.81, annex B) is followed by its end marker. The decoder fills up a
/// truncated file with grey and calls it good.
fn is_whole_jpeg(bytes: &[u8]) -> bool {
    const START_OF_SCAN: u8 = 0xDA;
    let mut rest = bytes.get(2..).unwrap_or_default();
    loop {
        match *rest {
            [0xFF, 0xFF, ..] => rest = &rest[1..],
            [0xFF, START_OF_SCAN, ..] => return rest.windows(2).any(|pair| pair == [0xFF, 0xD9]),
            [0xFF, _, high, low, ..] => {
                let length = usize::from(u16::from_be_bytes([high, low]));
                rest = rest.get(2 + length..).unwrap_or_default();
            }
            _ => return false,
        }
    }
}

/// Makes the image small enough for `side` by `side` pixels; a smaller one stays as it is.
fn fit(image: DynamicImage, side: u32) -> Result<DynamicImage> {
    let longest = image.width().max(image.height());
    if longest <= side {
        return Ok(image);
    }
    let scaled = |length: u32| {
        let exact = u64::from(length) * u64::from(side);
        let rounded = (exact + u64::from(longest) / 2) / u64::from(longest);
        u32::try_from(rounded).unwrap_or(side).clamp(1, side)
    };
    let mut fitted = DynamicImage::new(scaled(image.width()), scaled(image.height()), image.color());
    Resizer::new().resize(&image, &mut fitted, &ResizeOptions::new()).context("cannot resize a picture")?;
    Ok(fitted)
}

/// PNG for what has transparency, or came as PNG or GIF; JPEG for the rest, which are photographs.
fn encode(image: &DynamicImage, from: ImageFormat) -> image::ImageResult<Picture> {
    let mut bytes = Vec::new();
    let has_alpha = image.color().has_alpha();
    let extension = if has_alpha || matches!(from, ImageFormat::Png | ImageFormat::Gif) {
        let plain: DynamicImage = if has_alpha { image.to_rgba8().into() } else { image.to_rgb8().into() };
        plain.write_with_encoder(PngEncoder::new(&mut bytes))?;
        "png"
    } else {
        image.to_rgb8().write_with_encoder(JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY))?;
        "jpg"
    };
    Ok(Picture { bytes: bytes.into(), extension })
}

#[cfg(test)]
mod tests {
    use super::{apart, is_within_limits};

    #[tokio::test]
    async fn a_decoder_that_panics_has_met_a_damaged_picture() {
        let made = apart(|| panic!("as a decoder might")).await;
        assert!(matches!(made, Ok(None)));
    }

    #[test]
    fn the_limits_are_those_of_side_pixels_and_memory() {
        let mebibytes = |count: u64| count * 1024 * 1024;
        assert!(is_within_limits(12_000, 2_000, 72_000_000));
        assert!(is_within_limits(6_000, 4_000, mebibytes(128)));
        assert!(!is_within_limits(12_001, 1, 3));
        assert!(!is_within_limits(1, 12_001, 3));
        assert!(!is_within_limits(6_000, 4_001, 3));
        assert!(!is_within_limits(10_000, 10_000, 3));
        assert!(!is_within_limits(100, 100, mebibytes(128) + 1));
        assert!(!is_within_limits(u32::MAX, u32::MAX, u64::MAX));
    }
}
