//! A statement as a customer reads it. Pure.

use crate::{
    domain::{
        instant::second,
        money::{Currency, Money},
    },
    store::{Statement, StatementAccount},
};

/// All accounts of an organization, one after the other.
pub(super) fn text(statement: &Statement) -> String {
    let Statement { franchise, organization, as_of, since, accounts } = statement;
    let since = since.map(|since| format!(" since {}", second(since))).unwrap_or_default();
    let head =
        format!("Statement of {organization} in {franchise}{since}, as of {}", second(*as_of));
    let mut lines = vec![head];
    for account in accounts {
        lines.push(String::new());
        lines.extend(entries(account));
        lines.extend(lots(account));
        lines.extend(outlook(account));
    }
    lines.push(String::new());
    lines.join("\n")
}

/// From the opening to the closing balance, every entry with its cause.
fn entries(account: &StatementAccount) -> Vec<String> {
    let row = |(date, entry): (&str, &str), amount: &str, balance: &str, cause: &str| {
        format!("  {date:20}  {entry:>7}  {amount:>18}  {balance:>18}  {cause}")
    };
    let mut balance = account.opening;
    let opening = row(("", ""), "", &money(account, balance), "opening balance");
    let mut lines = vec![row(("DATE", "ENTRY"), "AMOUNT", "BALANCE", "CAUSE"), opening];
    for line in &account.lines {
        balance = balance.saturating_add(line.amount);
        let cause = line.cause.as_deref().unwrap_or(&line.kind);
        let (amount, balance) = (money(account, line.amount), money(account, balance));
        let entry = line.entry.map(|entry| entry.to_string()).unwrap_or_default();
        lines.push(row((&second(line.at), &entry), &amount, &balance, cause));
    }
    lines.push(row(("", ""), "", &money(account, account.closing), "closing balance"));
    lines
}

/// What is left of the credit, in the order in which it is spent.
fn lots(account: &StatementAccount) -> Vec<String> {
    if account.lots.is_empty() {
        return vec![];
    }
    let mut lines = vec![String::new(), "  Credit that is left, in the order of use".to_owned()];
    for lot in &account.lots {
        let until = lot
            .expires_at
            .map_or_else(|| "does not expire".to_owned(), |at| format!("expires {}", second(at)));
        let left = money(account, lot.left);
        lines.push(format!("  {left:>18}  {}, {until}", lot.source));
    }
    lines
}

/// What can be spent, and what falls due.
fn outlook(account: &StatementAccount) -> Vec<String> {
    let (held, spendable) = (money(account, account.held), money(account, account.spendable));
    let mut lines = vec![String::new(), format!("  set aside {held}, to spend {spendable}")];
    if account.owed > 0 {
        let owed = money(account, account.owed);
        lines.push(format!("  owed {owed}: it was spent before it was taken back"));
    }
    if let Some(until) = account.paid_until {
        lines.push(format!("  paid until {}", second(until)));
    }
    if let Some(renewal) = &account.renewal {
        let (due, amount) = (second(renewal.due_at), money(account, renewal.amount));
        lines.push(format!("  next renewal {due}: plan {} for {amount}", renewal.plan));
    }
    if account.closed {
        lines.push("  the account is closed".to_owned());
    }
    lines
}

fn money(account: &StatementAccount, minor: i64) -> String {
    match Currency::parse(&account.currency) {
        Ok(currency) => Money { minor, currency }.to_string(),
        Err(_) => format!("{minor} minor units of {}", account.currency),
    }
}
