//! Pictures come out upright, small and bare, and hostile files are turned away.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{io::Cursor, time::Duration};

use bytes::Bytes;
use domain::{Error, ports::Pictures};
use image::{
    DynamicImage, ExtendedColorType, ImageEncoder, ImageFormat, Rgb, RgbImage, Rgba, RgbaImage,
    codecs::{jpeg::JpegEncoder, png::PngEncoder},
};
use proptest::{prelude::*, test_runner::Config};
use tertulia_media::ImagePictures;

/// Red on the left, blue on the right.
fn two_sided(width: u32, height: u32) -> RgbImage {
    let side = |x: u32| if x < width / 2 { Rgb([220, 20, 20]) } else { Rgb([20, 20, 220]) };
    RgbImage::from_fn(width, height, |x, _| side(x))
}

fn encoded(image: impl Into<DynamicImage>, format: ImageFormat) -> Bytes {
    let mut bytes = Cursor::new(Vec::new());
    image.into().write_to(&mut bytes, format).unwrap();
    bytes.into_inner().into()
}

/// An Exif block (TIFF, big-endian) with an orientation and a text that must not get out.
fn exif(orientation: u8) -> Vec<u8> {
    let mut block = b"MM\0\x2a\0\0\0\x08\0\x02".to_vec();
    block.extend([0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0]);
    block.extend([0x01, 0x0E, 0, 2, 0, 0, 0, 17, 0, 0, 0, 38]);
    block.extend([0; 4]);
    block.extend(b"SECRET-LOCATION-\0");
    block
}

/// A PNG file of a header and no pixels.
fn png_header(width: u32, height: u32) -> Bytes {
    let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut header = b"IHDR".to_vec();
    header.extend(width.to_be_bytes());
    header.extend(height.to_be_bytes());
    header.extend([8, 2, 0, 0, 0]);
    bytes.extend(13_u32.to_be_bytes());
    bytes.extend(&header);
    bytes.extend(crc(&header).to_be_bytes());
    bytes.extend(b"\0\0\0\0IDAT\x35\xaf\x06\x1e");
    bytes.extend(b"\0\0\0\0IEND\xae\x42\x60\x82");
    bytes.into()
}

fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(
            crc ^ u32::from(*byte),
            |crc, _| if crc & 1 == 1 { 0xEDB8_8320 ^ (crc >> 1) } else { crc >> 1 },
        )
    })
}

async fn refit(bytes: impl Into<Bytes>, side: u32) -> Option<(DynamicImage, &'static str, Bytes)> {
    let picture = ImagePictures::new().refit(bytes.into(), side).await.unwrap()?;
    let format = ImageFormat::from_extension(picture.extension).unwrap();
    let image = image::load_from_memory_with_format(&picture.bytes, format).unwrap();
    Some((image, picture.extension, picture.bytes))
}

fn is_red(image: &DynamicImage, x: u32, y: u32) -> bool {
    let Rgba([red, _, blue, _]) = image.to_rgba8().get_pixel(x, y).to_owned();
    red > 150 && blue < 100
}

#[tokio::test]
async fn every_format_comes_out_fitted_with_its_picture() {
    for (format, expected) in [
        (ImageFormat::Png, "png"),
        (ImageFormat::Jpeg, "jpg"),
        (ImageFormat::Gif, "png"),
        (ImageFormat::WebP, "jpg"),
    ] {
        let (image, extension, _) = refit(encoded(two_sided(300, 100), format), 150).await.unwrap();
        assert_eq!((image.width(), image.height(), extension), (150, 50, expected), "{format:?}");
        assert!(is_red(&image, 10, 25) && !is_red(&image, 140, 25), "{format:?}");
    }
}

#[tokio::test]
async fn a_small_picture_is_not_enlarged() {
    let (image, ..) = refit(encoded(two_sided(30, 20), ImageFormat::Png), 256).await.unwrap();
    assert_eq!((image.width(), image.height()), (30, 20));
}

#[tokio::test]
async fn a_narrow_picture_keeps_a_pixel() {
    let (image, ..) = refit(encoded(two_sided(2, 9000), ImageFormat::Png), 100).await.unwrap();
    assert_eq!((image.width(), image.height()), (1, 100));
}

#[tokio::test]
async fn transparency_stays() {
    let half = RgbaImage::from_pixel(80, 80, Rgba([10, 200, 10, 0]));
    for format in [ImageFormat::Png, ImageFormat::WebP, ImageFormat::Gif] {
        let (image, extension, _) = refit(encoded(half.clone(), format), 40).await.unwrap();
        assert_eq!(extension, "png", "{format:?}");
        assert_eq!(image.to_rgba8().get_pixel(20, 20)[3], 0, "{format:?}");
    }
}

#[tokio::test]
async fn grey_sixteen_bit_and_palette_pictures_are_taken() {
    let grey = DynamicImage::from(two_sided(60, 60)).to_luma8();
    let deep = DynamicImage::from(two_sided(60, 60)).to_rgba16();
    let deep_grey = DynamicImage::from(two_sided(60, 60)).to_luma_alpha16();
    for bytes in [
        encoded(grey.clone(), ImageFormat::Png),
        encoded(grey, ImageFormat::Jpeg),
        encoded(deep, ImageFormat::Png),
        encoded(deep_grey, ImageFormat::Png),
        Bytes::from_static(tertulia_media::default_avatar()),
    ] {
        let (image, ..) = refit(bytes, 32).await.unwrap();
        assert_eq!((image.width(), image.height()), (32, 32));
    }
}

#[tokio::test]
async fn the_first_frame_of_an_animation_is_the_picture() {
    let mut bytes = Vec::new();
    let mut encoder = image::codecs::gif::GifEncoder::new(&mut bytes);
    for colour in [[220, 20, 20, 255], [20, 20, 220, 255]] {
        encoder.encode_frame(image::Frame::new(RgbaImage::from_pixel(40, 40, Rgba(colour)))).unwrap();
    }
    drop(encoder);
    let (image, ..) = refit(bytes, 40).await.unwrap();
    assert!(is_red(&image, 20, 20));
}

#[tokio::test]
async fn a_photograph_held_sideways_is_turned_upright() {
    // The orientation, and where the left side of the stored picture is seen: the point of red among left, top,
    // right, bottom.
    for (orientation, red) in [(1, 0), (2, 2), (3, 2), (4, 0), (5, 1), (6, 1), (7, 3), (8, 3)] {
        let mut bytes = Vec::new();
        let mut encoder = JpegEncoder::new(&mut bytes);
        encoder.set_exif_metadata(exif(orientation)).unwrap();
        encoder.write_image(&two_sided(200, 100), 200, 100, ExtendedColorType::Rgb8).unwrap();
        let (image, ..) = refit(bytes, 100).await.unwrap();
        let size = if orientation < 5 { (100, 50) } else { (50, 100) };
        assert_eq!((image.width(), image.height()), size, "{orientation}");
        let (right, bottom) = (size.0 - 5, size.1 - 5);
        let points = [(5, size.1 / 2), (size.0 / 2, 5), (right, size.1 / 2), (size.0 / 2, bottom)];
        let (x, y) = points[red];
        assert!(is_red(&image, x, y), "{orientation}");
        let (x, y) = points[(red + 2) % 4];
        assert!(!is_red(&image, x, y), "{orientation}");
    }
}

#[tokio::test]
async fn metadata_does_not_get_out() {
    let mut jpeg = Vec::new();
    let mut encoder = JpegEncoder::new(&mut jpeg);
    encoder.set_exif_metadata(exif(1)).unwrap();
    encoder.set_icc_profile(b"SECRET-LOCATION-profile".to_vec()).unwrap();
    encoder.write_image(&two_sided(40, 40), 40, 40, ExtendedColorType::Rgb8).unwrap();
    let mut png = Vec::new();
    let mut encoder = PngEncoder::new(&mut png);
    encoder.set_exif_metadata(exif(1)).unwrap();
    encoder.write_image(&two_sided(40, 40), 40, 40, ExtendedColorType::Rgb8).unwrap();
    for bytes in [jpeg, png] {
        let has = |bytes: &[u8], needle: &[u8]| bytes.windows(needle.len()).any(|window| window == needle);
        assert!(has(&bytes, b"SECRET-LOCATION"), "the file sent in has metadata");
        let (_, _, out) = refit(bytes, 40).await.unwrap();
        for needle in [b"SECRET".as_slice(), b"Exif", b"eXIf", b"ICC_PROFILE", b"iCCP"] {
            assert!(!has(&out, needle), "{needle:?}");
        }
    }
}

#[tokio::test]
async fn half_a_file_is_no_picture() {
    for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::Gif, ImageFormat::WebP] {
        let noise = RgbImage::from_fn(90, 90, |x, y| {
            Rgb([x * 7 + y * 13, x * y, x ^ y].map(|value| value.to_le_bytes()[0]))
        });
        let whole = encoded(noise, format);
        assert!(refit(whole.clone(), 50).await.is_some(), "{format:?}");
        for part in [1, 4, 12, 30, whole.len() / 4, whole.len() / 2, whole.len() * 3 / 4] {
            assert!(refit(whole.slice(..part), 50).await.is_none(), "{format:?} cut at {part}");
        }
    }
}

#[tokio::test]
async fn a_file_followed_by_something_else_is_still_a_picture() {
    let mut bytes = encoded(two_sided(40, 40), ImageFormat::Jpeg).to_vec();
    bytes.extend(b"a film in the same file");
    assert!(refit(bytes, 40).await.is_some());
}

#[tokio::test]
async fn pictures_beyond_the_limits_are_refused_by_their_header() {
    for (width, height) in [
        (12_001, 1),
        (1, 12_001),
        (10_000, 10_000),
        (6_000, 4_001),
        (u32::MAX, u32::MAX),
        (0, 5),
        (1 << 31, 1),
    ] {
        assert!(refit(png_header(width, height), 64).await.is_none(), "{width} by {height}");
    }
    // The largest GIF screen is 4.3 gigapixels in 13 bytes.
    assert!(
        refit(Bytes::from_static(b"GIF89a\xff\xff\xff\xff\0\0\0\x2c\0\0\0\0\xff\xff\xff\xff\0"), 64)
            .await
            .is_none()
    );
    // Within 24 megapixels, but 160 MB when decoded: 20 megapixels of 8 bytes.
    let mut deep = png_header(5_000, 4_000).to_vec();
    deep[24..26].copy_from_slice(&[16, 6]);
    let sum = crc(&deep[12..29]).to_be_bytes();
    deep[29..33].copy_from_slice(&sum);
    assert!(refit(deep, 64).await.is_none());
}

#[tokio::test]
async fn twelve_thousand_pixels_are_the_longest_side() {
    for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::Gif, ImageFormat::WebP] {
        for (width, height) in [(12_000, 2), (2, 12_000)] {
            assert!(refit(encoded(two_sided(width, height), format), 64).await.is_some(), "{format:?}");
        }
        for (width, height) in [(12_001, 2), (2, 12_001)] {
            assert!(refit(encoded(two_sided(width, height), format), 64).await.is_none(), "{format:?}");
        }
    }
}

#[tokio::test]
async fn more_than_twenty_four_megapixels_are_refused() {
    assert!(refit(encoded(image::GrayImage::new(6_001, 4_000), ImageFormat::Jpeg), 64).await.is_none());
}

#[tokio::test]
async fn a_large_flat_picture_within_the_limits_is_taken() {
    let (image, ..) = refit(encoded(RgbImage::new(2_000, 1_500), ImageFormat::Png), 64).await.unwrap();
    assert_eq!((image.width(), image.height()), (64, 48));
}

#[tokio::test]
async fn what_is_no_image_is_told_so() {
    let files: [&[u8]; 5] =
        [b"", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"%PDF-1.7", b"BM", b"II*\0\x08\0\0\0"];
    for bytes in files {
        assert!(refit(Bytes::from_static(bytes), 64).await.is_none());
        assert_eq!(ImagePictures::new().recognise(bytes), None);
    }
}

#[test]
fn kinds_are_told_by_content() {
    for (format, expected) in [
        (ImageFormat::Png, "png"),
        (ImageFormat::Jpeg, "jpg"),
        (ImageFormat::Gif, "gif"),
        (ImageFormat::WebP, "webp"),
    ] {
        assert_eq!(ImagePictures::new().recognise(&encoded(two_sided(4, 4), format)), Some(expected));
    }
}

#[tokio::test]
async fn who_waits_too_long_is_turned_away() {
    let pictures = ImagePictures::with_limits(0, Duration::from_millis(10));
    let answer = pictures.refit(encoded(two_sided(4, 4), ImageFormat::Png), 4).await;
    assert!(matches!(answer, Err(Error::Throttled(_))));
}

#[test]
fn the_default_avatar_is_a_small_square_png() {
    let image =
        image::load_from_memory_with_format(tertulia_media::default_avatar(), ImageFormat::Png).unwrap();
    assert_eq!((image.width(), image.height()), (256, 256));
    assert!(tertulia_media::default_avatar().len() < 8 * 1024);
}

proptest! {
    #![proptest_config(Config { cases: 200, failure_persistence: None, ..Config::default() })]

    /// Whatever bytes come, an answer comes: a picture that can be read again, or none.
    #[test]
    fn damaged_files_never_do_harm(
        format in 0..4_usize, changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12)
    ) {
        let formats = [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::Gif, ImageFormat::WebP];
        let mut bytes = encoded(two_sided(24, 16), formats[format]).to_vec();
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        if let Some((image, ..)) = runtime.block_on(refit(bytes, 16)) {
            prop_assert!(image.width() <= 16 && image.height() <= 16);
        }
    }
}

#[tokio::test]
async fn a_square_is_the_middle_of_the_picture() {
    let pictures = ImagePictures::new();
    for (width, height) in [(400, 100), (100, 400), (250, 250)] {
        let stripes = RgbImage::from_fn(width, height, |x, y| {
            let along = if width > height { x * 100 / width } else { y * 100 / height };
            if (37..63).contains(&along) { Rgb([20, 220, 20]) } else { Rgb([220, 20, 20]) }
        });
        let made = pictures.square(encoded(stripes, ImageFormat::Png), 80).await.unwrap().unwrap();
        let square = image::load_from_memory(&made.bytes).unwrap().to_rgb8();
        assert_eq!(square.dimensions(), (80, 80));
        let corner_is_green = square.get_pixel(1, 1).0[1] > 200;
        assert_eq!(corner_is_green, width != height, "{width}x{height}");
    }
    let small = pictures.square(encoded(two_sided(30, 20), ImageFormat::Jpeg), 80).await.unwrap().unwrap();
    let square = image::load_from_memory(&small.bytes).unwrap();
    assert_eq!((square.width(), square.height(), small.extension), (20, 20, "jpg"));
    assert!(pictures.square(Bytes::from_static(b"no picture"), 80).await.unwrap().is_none());
}
