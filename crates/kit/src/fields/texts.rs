//! The sentences of Django and Django REST framework.

use domain::{Field, Rule};
use serde_json::Value;

pub(super) const REQUIRED: &str = "This field is required.";
pub(super) const BLANK: &str = "This field may not be blank.";
pub(super) const NULL: &str = "This field may not be null.";
pub(super) const NOT_TEXT: &str = "Not a valid string.";
pub(super) const NUL: &str = "Null characters are not allowed.";
pub(super) const NOT_AN_ADDRESS: &str = "Enter a valid email address.";
pub(super) const NOT_AN_INTEGER: &str = "A valid integer is required.";
pub(super) const EMPTY_FILE: &str = "The submitted file is empty.";
pub(super) const NOT_A_FILE: &str = "The submitted data was not a file. Check the encoding type on the form.";

pub(super) fn too_long(most: usize) -> String {
    format!("Ensure this field has no more than {most} characters.")
}

/// What a rule of the core says when it is broken, in Django's words where Django has any (messenger.md,
/// Errors).
///
/// Too short, common, numeric, classes and similar are rules for passwords, and speak of one.
pub fn text_of(rule: &Rule) -> String {
    match rule {
        Rule::Taken => "A user with that username already exists.".to_owned(),
        Rule::Charset => "Enter a valid username. This value may contain only letters, numbers, and \
                          @/./+/-/_ characters."
            .to_owned(),
        Rule::Email => NOT_AN_ADDRESS.to_owned(),
        Rule::Url => "Enter a valid URL.".to_owned(),
        Rule::Blank => BLANK.to_owned(),
        Rule::TooLong(most) => too_long(*most),
        Rule::TooShort(least) => {
            format!("This password is too short. It must contain at least {least} characters.")
        }
        Rule::TooMany(most) => format!("Ensure this field has no more than {most} elements."),
        Rule::TooLarge(most) => format!("Ensure this file has no more than {most} bytes."),
        Rule::Common => "This password is too common.".to_owned(),
        Rule::Numeric => "This password is entirely numeric.".to_owned(),
        Rule::Classes => {
            "Password must contain uppercase and lowercase letters, digits, and special characters."
                .to_owned()
        }
        Rule::Similar(field) => format!("The password is too similar to the {}.", spoken(*field)),
        Rule::Wrong => "Your old password was entered incorrectly. Please enter it again.".to_owned(),
        Rule::NotAnImage => "Upload a valid image. The file you uploaded was either not an image or a \
                             corrupted image."
            .to_owned(),
        Rule::UnsafePath => "Enter a valid path.".to_owned(),
    }
}

/// Django's verbose name of a value.
fn spoken(field: Field) -> &'static str {
    match field {
        Field::Username => "username",
        Field::Email => "email address",
        Field::FirstName => "first name",
        Field::LastName => "last name",
        Field::Password => "password",
        Field::OldPassword => "old password",
        Field::Avatar => "avatar",
        Field::Text => "text",
        Field::Attachment => "attachment",
        Field::ClientId => "client id",
        Field::Image => "image",
    }
}

/// The name of the Python type that a JSON value becomes.
pub(super) fn python_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "NoneType",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float",
        Value::Number(_) => "int",
        Value::String(_) => "str",
        Value::Array(_) => "list",
        Value::Object(_) => "dict",
    }
}
