//! Gives the Windows program its icon and its version, which Explorer shows.

fn main() {
    println!("cargo::rerun-if-changed=assets/icon/modelens.ico");
    if std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|system| system == "windows") {
        let mut resource = winresource::WindowsResource::new();
        resource
            .set_icon("assets/icon/modelens.ico")
            .set(
                "FileDescription",
                "modelens: training and inference side by side",
            )
            .set("ProductName", "modelens")
            .set("OriginalFilename", "modelens.exe")
            .set("LegalCopyright", "MIT OR Apache-2.0");
        // The program is complete without them: a machine without a resource compiler builds it too.
        if let Err(error) = resource.compile() {
            println!("cargo::warning=modelens.exe has no icon and no version: {error}");
        }
    }
}
