//! Files and pictures: [`Disk`] keeps attachments and avatars in a folder, [`ImagePictures`] recognises images,
//! limits them and makes them anew.

mod disk;
mod key;
mod pictures;

pub use disk::Disk;
pub use pictures::ImagePictures;

/// The picture of an account that has none: PNG, 256 by 256 pixels, a neutral silhouette.
/// `assets/default.py` draws it.
pub fn default_avatar() -> &'static [u8] {
    include_bytes!("../assets/default.png")
}
