//! What is done to an account is done once under its key, and to that account.

use catalyst_operator::{
    domain::money::Money,
    store::{Answer, Refusal, Why},
};

use crate::support::{Books, books, word};

fn why(key: &str) -> Why {
    Why { key: key.to_owned(), reason: "goodwill".to_owned(), actor: "noor".to_owned() }
}

async fn credit(books: &Books, key: &str, amount: &str) -> Answer {
    let amount = Money::parse(amount).unwrap();
    books.door.credit(("omantel", "kestrel"), &amount, None, &why(key)).await.unwrap()
}

#[tokio::test]
async fn a_correction_happens_once_under_its_key() {
    let books = books().await;
    books.organization("kestrel").await;
    let first = credit(&books, "key", "5.000 OMR").await;
    assert_eq!(word(&first), "Credited");
    assert_eq!(credit(&books, "key", "5.000 OMR").await, first);
    assert_eq!(credit(&books, "key", "6.000 OMR").await, Answer::Refused(Refusal::KeyReused));
    let reversed = books.door.reverse("omantel", 1, &why("key")).await.unwrap();
    assert_eq!(reversed, Answer::Refused(Refusal::KeyReused));
    assert_eq!(books.credit("kestrel").await, 5_000);
    books.assert_sound().await;
}

#[tokio::test]
async fn an_entry_is_reversed_once() {
    let books = books().await;
    books.organization("kestrel").await;
    credit(&books, "key", "5.000 OMR").await;
    let reverse = async |key: &str| books.door.reverse("omantel", 1, &why(key)).await.unwrap();
    let first = reverse("one").await;
    assert_eq!(word(&first), "Reversed");
    assert_eq!(reverse("one").await, first);
    assert_eq!(reverse("two").await, Answer::Refused(Refusal::AlreadyReversed));
    assert_eq!(books.credit("kestrel").await, 0);
    books.assert_sound().await;
}

#[tokio::test]
async fn an_entry_of_a_closed_account_is_reversed_and_the_books_are_sound() {
    let books = books().await;
    books.organization("kestrel").await;
    credit(&books, "key", "5.000 OMR").await;
    assert_eq!(books.leave("kestrel", "kestrel").await, "Left");
    let closed = books.door.close(("omantel", "kestrel"), "OMR", &why("close")).await.unwrap();
    assert_eq!(word(&closed), "Closed");
    let reversed = books.door.reverse("omantel", 1, &why("reverse")).await.unwrap();
    assert_eq!(word(&reversed), "Reversed");
    books.assert_sound().await;
}

#[tokio::test]
async fn nobody_holds_credit_for_the_order_of_another_organization() {
    let books = books().await;
    books.rich_organization("kestrel").await;
    books.organization("falcon").await;
    let order = books.ordered("kestrel", "m").await;
    assert_eq!(books.hold("falcon", order, 1).await, "NoOrder");
    assert_eq!(books.count("hold").await, 0);
}
