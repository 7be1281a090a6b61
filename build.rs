//! `sqlx::migrate!` reads the migrations when the program is compiled, and cargo does not know.

fn main() {
    println!("cargo:rerun-if-changed=migrations");
}
