//! Devboxes with a browser or a desktop (legacy).

use runloop_client::types::*;
use serde_json::json;

use super::{Row, row};

pub(crate) fn rows() -> Vec<Row> {
    let browser = BrowserCreateParams { name: Some("b".into()) };
    let computer = ComputerCreateParams {
        name: Some("c".into()),
        display_dimensions: Some(DisplayDimensions { display_width_px: 1280, display_height_px: 800 }),
    };
    let computer_json =
        json!({"name": "c", "display_dimensions": {"display_width_px": 1280, "display_height_px": 800}});
    let key = |action, text: Option<&str>| ComputerKeyboardInteractionParams {
        action,
        text: text.map(ToOwned::to_owned),
    };
    let mouse = |action, coordinate| ComputerMouseInteractionParams { action, coordinate };
    let (typed, enter) = (key(KeyboardAction::Type, Some("hi")), key(KeyboardAction::Key, None));
    let to = mouse(MouseAction::MouseMove, Some(ScreenCoordinate { x: 3, y: 4 }));
    let click = mouse(MouseAction::LeftClick, None);
    vec![
        row!("devboxes.browsers.create", "POST" "/v1/devboxes/browsers", Some(json!({"name": "b"})), |c| {
            c.devboxes().browsers().create(&browser)
        }),
        row!("devboxes.browsers.create", "POST" "/v1/devboxes/browsers", Some(json!({})), |c| {
            c.devboxes().browsers().create(&BrowserCreateParams::default())
        }),
        row!("devboxes.browsers.retrieve", "GET" "/v1/devboxes/browsers/dbx_1", None, |c| {
            c.devboxes().browsers().retrieve("dbx_1")
        }),
        row!("devboxes.computers.create", "POST" "/v1/devboxes/computers", Some(computer_json), |c| {
            c.devboxes().computers().create(&computer)
        }),
        row!("devboxes.computers.create", "POST" "/v1/devboxes/computers", Some(json!({})), |c| {
            c.devboxes().computers().create(&ComputerCreateParams::default())
        }),
        row!("devboxes.computers.retrieve", "GET" "/v1/devboxes/computers/dbx_1", None, |c| {
            c.devboxes().computers().retrieve("dbx_1")
        }),
        row!(
            "devboxes.computers.keyboard_interaction",
            "POST" "/v1/devboxes/computers/dbx_1/keyboard_interaction",
            Some(json!({"action": "type", "text": "hi"})),
            |c| c.devboxes().computers().keyboard_interaction("dbx_1", &typed)
        ),
        row!(
            "devboxes.computers.keyboard_interaction",
            "POST" "/v1/devboxes/computers/dbx_1/keyboard_interaction",
            Some(json!({"action": "key"})),
            |c| c.devboxes().computers().keyboard_interaction("dbx_1", &enter)
        ),
        row!(
            "devboxes.computers.mouse_interaction",
            "POST" "/v1/devboxes/computers/dbx_1/mouse_interaction",
            Some(json!({"action": "mouse_move", "coordinate": {"x": 3, "y": 4}})),
            |c| c.devboxes().computers().mouse_interaction("dbx_1", &to)
        ),
        row!(
            "devboxes.computers.mouse_interaction",
            "POST" "/v1/devboxes/computers/dbx_1/mouse_interaction",
            Some(json!({"action": "left_click"})),
            |c| c.devboxes().computers().mouse_interaction("dbx_1", &click)
        ),
        row!(
            "devboxes.computers.screen_interaction",
            "POST" "/v1/devboxes/computers/dbx_1/screen_interaction",
            Some(json!({"action": "screenshot"})),
            |c| {
                let params = ComputerScreenInteractionParams { action: ScreenAction::Screenshot };
                c.devboxes().computers().screen_interaction("dbx_1", &params)
            }
        ),
    ]
}
