//! Devboxes with a desktop. Legacy: gone before SDK 1.32.

use serde::{Deserialize, Serialize};

use crate::DevboxView;

/// A new desktop devbox. Legacy.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ComputerCreateParams {
    /// A name for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Size of its screen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_dimensions: Option<DisplayDimensions>,
}

/// Size of a screen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DisplayDimensions {
    /// Width in pixels.
    pub display_width_px: u32,
    /// Height in pixels.
    pub display_height_px: u32,
}

/// A desktop devbox. Legacy.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ComputerView {
    /// The devbox it runs in.
    pub devbox: DevboxView,
    /// Where its screen can be watched.
    pub live_screen_url: String,
}

open_enum! {
    /// What is done with a keyboard.
    KeyboardAction {
        /// Presses a key or a combination of keys.
        Key = "key",
        /// Types a text.
        Type = "type",
    }
}

/// What is done with the keyboard. Legacy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComputerKeyboardInteractionParams {
    /// What is done.
    pub action: KeyboardAction,
    /// The keys or the text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

open_enum! {
    /// What is done with a mouse.
    MouseAction {
        /// Moves the pointer.
        MouseMove = "mouse_move",
        /// Clicks.
        LeftClick = "left_click",
        /// Moves with the left button down.
        LeftClickDrag = "left_click_drag",
        /// Clicks with the right button.
        RightClick = "right_click",
        /// Clicks with the middle button.
        MiddleClick = "middle_click",
        /// Clicks twice.
        DoubleClick = "double_click",
    }
}

/// What is done with the mouse. Legacy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComputerMouseInteractionParams {
    /// What is done.
    pub action: MouseAction,
    /// Where to, for `mouse_move` and `left_click_drag`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coordinate: Option<ScreenCoordinate>,
}

/// A place on a screen, in pixels from the upper left corner.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ScreenCoordinate {
    /// To the right.
    pub x: i32,
    /// Down.
    pub y: i32,
}

open_enum! {
    /// What is asked of a screen.
    ScreenAction {
        /// A picture of it.
        Screenshot = "screenshot",
        /// Where the pointer is.
        CursorPosition = "cursor_position",
    }
}

/// What is asked of the screen. Legacy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComputerScreenInteractionParams {
    /// What is asked.
    pub action: ScreenAction,
}

/// What came of an interaction with keyboard, mouse or screen. Legacy.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ComputerInteractionResponse {
    /// What was found out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<String>,
    /// What went wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The screen afterwards, as an image in base64.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latest_screenshot_base64_img: Option<String>,
}
