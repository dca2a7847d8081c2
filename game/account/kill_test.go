package account

func childMain(string) {}
const childVariable = "ACCOUNT_TEST_CHILD"
