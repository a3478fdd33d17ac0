//! Profiles and the albums of people.

use domain::{
    AccountId, Error, Noun, PhotoId,
    accounts::{AccountChange, AvatarChange},
    photos::{NewPhoto, Photo},
    profiles::{Gender, Profile, ProfileChange},
};
use jiff::civil::date;

use crate::{
    crowd::at_once,
    world::{NO_ACCOUNT, World, at, is, uuid},
};

async fn profile(world: &World, account: AccountId) -> Profile {
    world.store.profiles(vec![account]).await.unwrap().pop().unwrap()
}

pub(crate) async fn a_profile_is_empty_at_first_and_changes_field_by_field(world: &World) {
    let [ana, ben] = world.accounts(["Ana", "ben"]).await;
    let first = profile(world, ana).await;
    assert_eq!((first.nickname.as_str(), first.about.as_str(), first.client_key.as_str()), ("Ana", "", ""));
    assert_eq!((first.birth_date, first.gender, first.deleted), (None, None, false));
    let change = ProfileChange {
        nickname: Some("annie".into()),
        about: Some("I dance".into()),
        gender: Some(Some(Gender::Female)),
        birth_date: Some(Some(date(2004, 2, 29))),
        ..ProfileChange::default()
    };
    world.store.set_profile(ana, change).await.unwrap();
    let change = ProfileChange {
        first_name: Some("Ánna".into()),
        client_key: Some("key".into()),
        ..ProfileChange::default()
    };
    world.store.set_profile(ana, change).await.unwrap();
    let told = profile(world, ana).await;
    assert_eq!(
        (told.nickname.as_str(), told.about.as_str(), told.client_key.as_str()),
        ("annie", "I dance", "key")
    );
    assert_eq!((told.birth_date, told.gender), (Some(date(2004, 2, 29)), Some(Gender::Female)));
    assert_eq!((told.person.first_name.as_str(), told.person.username.as_str()), ("Ánna", "Ana"));
    let change = ProfileChange {
        about: Some(String::new()),
        gender: Some(None),
        birth_date: Some(None),
        ..ProfileChange::default()
    };
    world.store.set_profile(ana, change).await.unwrap();
    let told = profile(world, ana).await;
    assert_eq!((told.about.as_str(), told.birth_date, told.gender), ("", None, None));
    assert_eq!(profile(world, ben).await.nickname, "ben");
    let nobody = world.store.set_profile(AccountId(999), ProfileChange::default()).await;
    assert!(is(&nobody, &NO_ACCOUNT));
}

pub(crate) async fn a_deleted_account_keeps_no_profile(world: &World) {
    let ana = world.account("ana").await;
    let change =
        ProfileChange { nickname: Some("annie".into()), about: Some("x".into()), ..ProfileChange::default() };
    world.store.set_profile(ana, change).await.unwrap();
    let one = add(world, ana, "one").await;
    let unused = world.store.remove_account(ana, at(1)).await.unwrap();
    assert_eq!(unused, [one.key, one.thumbnail.unwrap()]);
    let left = profile(world, ana).await;
    assert!(left.deleted);
    assert_eq!((left.nickname.as_str(), left.about.as_str()), ("deleted", ""));
    assert_eq!(world.number("SELECT COUNT(*) FROM profile").await, 0);
    assert!(is(&world.store.set_profile(ana, ProfileChange::default()).await, &NO_ACCOUNT));
    let photo = world.store.add_photo(new_photo(ana, "late")).await;
    assert!(is(&photo, &NO_ACCOUNT));
}

fn new_photo(account: AccountId, name: &str) -> NewPhoto {
    NewPhoto {
        account,
        key: format!("avatars/{name}.png"),
        thumbnail: format!("avatars/{name}-t.png"),
        created_at: at(1),
    }
}

async fn add(world: &World, account: AccountId, name: &str) -> Photo {
    world.store.add_photo(new_photo(account, name)).await.unwrap()
}

async fn photos_of(world: &World, account: AccountId) -> Vec<Photo> {
    world.store.portraits(vec![account]).await.unwrap().pop().unwrap().photos
}

/// The ids of the photos in their order, and which is the avatar.
async fn album(world: &World, account: AccountId) -> (Vec<PhotoId>, Option<PhotoId>) {
    let photos = photos_of(world, account).await;
    let avatar = photos.iter().find(|photo| photo.is_avatar).map(|photo| photo.id);
    (photos.into_iter().map(|photo| photo.id).collect(), avatar)
}

async fn avatar_key(world: &World, account: AccountId) -> Option<String> {
    world.store.people(vec![account]).await.unwrap().pop().unwrap().avatar.photo
}

pub(crate) async fn the_first_photo_is_the_avatar_and_the_next_one_left_takes_its_place(world: &World) {
    let [ana, ben] = world.accounts(["ana", "ben"]).await;
    let one = add(world, ana, "one").await;
    let two = add(world, ana, "two").await;
    let three = add(world, ana, "three").await;
    assert!(one.is_avatar && !two.is_avatar);
    assert_eq!(album(world, ana).await, (vec![one.id, two.id, three.id], Some(one.id)));
    assert_eq!(avatar_key(world, ana).await, Some(one.key.clone()));

    world.store.set_avatar(ana, three.id).await.unwrap();
    assert_eq!(album(world, ana).await, (vec![three.id, one.id, two.id], Some(three.id)));
    assert_eq!(world.store.remove_photo(ana, three.id).await.unwrap(), [three.key, three.thumbnail.unwrap()]);
    assert_eq!(album(world, ana).await, (vec![one.id, two.id], Some(one.id)));
    world.store.remove_photo(ana, two.id).await.unwrap();
    assert_eq!(album(world, ana).await, (vec![one.id], Some(one.id)));
    world.store.remove_photo(ana, one.id).await.unwrap();
    assert_eq!(album(world, ana).await, (Vec::new(), None));
    assert_eq!(avatar_key(world, ana).await, None);
    assert!(add(world, ana, "four").await.is_avatar);

    let forbidden = Error::Forbidden(Noun::Photo);
    let theirs = add(world, ben, "theirs").await;
    for photo in [theirs.id, one.id, PhotoId(999)] {
        assert!(is(&world.store.set_avatar(ana, photo).await, &forbidden));
        assert!(is(&world.store.remove_photo(ana, photo).await, &forbidden));
    }
    assert_eq!(album(world, ben).await, (vec![theirs.id], Some(theirs.id)));
}

pub(crate) async fn other_dialects_avatars_are_in_the_album_while_they_last(world: &World) {
    let ana = world.account("ana").await;
    let give = async |avatar| {
        let change = AccountChange { avatar: Some(avatar), ..AccountChange::default() };
        world.store.set_account(ana, change, at(1)).await.unwrap()
    };
    give(AvatarChange::Photo("avatars/given.png".into())).await;
    let two = add(world, ana, "two").await;
    assert!(!two.is_avatar);
    let photos = photos_of(world, ana).await;
    assert_eq!((photos[0].key.as_str(), photos[0].thumbnail.as_ref()), ("avatars/given.png", None));
    // Another choice here leaves the given one among the photos; there, it would have been replaced.
    world.store.set_avatar(ana, two.id).await.unwrap();
    assert_eq!(album(world, ana).await, (vec![two.id, photos[0].id], Some(two.id)));
    assert_eq!(give(AvatarChange::Photo("avatars/next.png".into())).await, Vec::<String>::new());
    assert_eq!(give(AvatarChange::Cleared).await, ["avatars/next.png"]);
    assert_eq!(album(world, ana).await, (vec![photos[0].id, two.id], None));
    // A cleared avatar gives way to the next photo, messenger's word for it too.
    assert!(add(world, ana, "three").await.is_avatar);
    let person = world.store.people(vec![ana]).await.unwrap().pop().unwrap();
    assert_eq!(person.avatar.text, None);
}

pub(crate) async fn racing_uploads_give_one_avatar(world: &World) {
    let ana = world.account("ana").await;
    let added = at_once(16, |number| {
        let store = world.store.clone();
        async move { store.add_photo(new_photo(ana, &format!("{number}-{}", uuid()))).await.unwrap() }
    })
    .await;
    assert_eq!(added.iter().filter(|photo| photo.is_avatar).count(), 1);
    let ids: Vec<_> = added.iter().map(|photo| photo.id).collect();
    at_once(16, |number| {
        let (store, id) = (world.store.clone(), ids[number]);
        async move {
            if number % 2 == 0 {
                store.set_avatar(ana, id).await
            } else {
                store.remove_photo(ana, id).await.map(drop)
            }
            .unwrap();
        }
    })
    .await;
    let (left, avatar) = album(world, ana).await;
    assert_eq!(left.len(), 8);
    assert!(left.contains(&avatar.unwrap()));
}
