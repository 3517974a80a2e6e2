//! `signalbox`: see `signalbox --help`.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    match server::cli::parse(std::env::args_os()) {
        Ok(command) => server::program::run(command).await,
        Err(error) => {
            // Help and version are answers too; where they go and what they mean is clap's to say. Nobody is left to hear of a closed pipe.
            let _: std::io::Result<()> = error.print();
            u8::try_from(error.exit_code()).map_or(ExitCode::FAILURE, ExitCode::from)
        }
    }
}
